#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/meds/keyed_rows.h"

namespace sequela {

// One row of predictions in meds-evaluation's schema.
struct Prediction {
  PredictionKey key;
  double outcome = 0;  // boolean_value: 0 or 1; NaN if the row or the table has none
  double probability = 0;
};

// Reads predictions: Parquet, a file or all files of a folder as one table, with columns
// subject_id, prediction_time (as read_labels takes them), predicted_boolean_probability (float)
// and, if there is one, boolean_value. Sorted by key. DataError for a missing column, a null, a
// probability outside [0, 1] and two rows with one key.
//
// Source: meds-evaluation 0.0.6, its PredictionSchema.
std::vector<Prediction> read_predictions(const std::string& path,
                                         ZoneRule zone_rule = ZoneRule::utc);

}  // namespace sequela
