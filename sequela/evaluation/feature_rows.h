#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/evaluation/matrix.h"

namespace sequela {

// What features.parquet holds, in the order of the file.
struct FeatureRows {
  std::vector<int64_t> subject_ids;
  std::vector<int64_t> prediction_times_us;
  DenseMatrix embeddings;  // [rows, dimension]
};

// Reads columns subject_id, prediction_time and embedding (a list of floats, the same length in
// each row). Throws DataError if one is missing, null, or of another length than the rows before.
FeatureRows read_feature_rows(const std::string& path);

}  // namespace sequela
