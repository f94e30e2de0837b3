#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/nan.h"
#include "sequela/io/time_column.h"

namespace sequela {

// One row of a label table (MEDS label schema). `value` is the boolean, integer or float value; NaN
// if the table has none or it is null; `category` the categorical one; `number` the float value,
// whatever else the row has (the days of a time to an event), NaN if there is none.
struct Label {
  int64_t subject_id = 0;
  int64_t prediction_time_us = 0;
  double value = 0;
  std::string category;
  double number = kNaN;
};

// The files of a label table, in the order of their rows: the file itself, or all below a folder
// or URI, sorted by path: *.parquet, or where there is none *.csv and *.csv.gz. Entries whose name
// begins with '.' or '_' are passed over. DataError if there is none.
std::vector<std::string> list_label_files(const std::string& path);

// Reads labels, all files of a folder as one table.
//
// Parquet: subject_id (integer), prediction_time (timestamp of any unit, date, or text), and the
// first of boolean_value, integer_value, float_value that is not null; categorical_value.
// CSV (packed by gzip or not): the same columns by name, in any case, separated as the header is;
// also patient_id for subject_id and value for a value, as femr's and EHRSHOT's files have them.
// Says once what the times were, if not as MEDS has them. Throws DataError.
std::vector<Label> read_labels(const std::string& path, ZoneRule zone_rule = ZoneRule::utc);

// Writes labels as Parquet, boolean_value being whether the value is above 0.
void write_boolean_labels(const std::string& path, const std::vector<Label>& labels);

}  // namespace sequela
