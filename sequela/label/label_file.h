#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/io/parquet.h"
#include "sequela/label/labeler.h"

namespace sequela {

// Writes labels as MEDS's label schema has them (meds 0.4: subject_id, prediction_time,
// boolean_value, integer_value, float_value as float32, categorical_value), some rows at a time.
// The file appears when finish() returns.
class LabelFile {
 public:
  explicit LabelFile(const std::string& path);

  // Takes the rows, which are left empty.
  void add(std::vector<LabelRow>* rows);
  void finish();

 private:
  ParquetWriter writer_;
  bool has_rows_ = false;
};

}  // namespace sequela
