#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/meds/labels.h"
#include "sequela/pipeline/record_batches.h"

namespace sequela {

// The labels of a file by what they are for.
struct LabelSides {
  std::vector<Label> train, validation, held_out;
};

struct LabelSideOptions {
  std::string splits;  // subject_id and split; empty = all are train's and validation's
  double val_fraction = 0;
  int64_t split_seed = 0;
  ZoneRule zone_rule = ZoneRule::utc;
};

// Labels of subjects that `splits` does not name are left out, with a warning. DataError for a
// label of train or validation whose value is neither 0 nor 1.
LabelSides read_label_sides(const std::string& path, const LabelSideOptions& options);

// Warns of labels without a history, by reason.
void warn_of_skipped(const RecordBatches& records, const std::string& what);

// How common the outcome is among the labels that have a history. DataError, naming `path`, if all
// or none have it.
double check_both_outcomes(const RecordBatches& records, const std::string& path,
                           const std::string& what);

}  // namespace sequela
