#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sequela {

// One row of a label table (MEDS label schema). `value` is the boolean, integer or float value; NaN
// if the table has none or it is null; `category` the categorical one.
struct Label {
  int64_t subject_id = 0;
  int64_t prediction_time_us = 0;
  double value = 0;
  std::string category;
};

// Reads labels from Parquet (any timestamp unit). Throws DataError.
std::vector<Label> read_labels(const std::string& path);

}  // namespace sequela
