#pragma once

#include <string>
#include <vector>

#include "sequela/meds/predictions.h"

namespace sequela {

// Columns that deal subjects, or single rows, to groups.
struct SubgroupTable {
  struct Column {
    std::string name;
    std::vector<std::string> values;  // ascending
    std::vector<int32_t> value_of;    // by row; -1 = null
  };
  bool has_times = false;           // rows are of a subject and a time, not of a subject
  std::vector<PredictionKey> keys;  // by row, ascending; time 0 where rows have none
  std::vector<Column> columns;

  // The row of a key; -1 if there is none.
  int64_t find(PredictionKey key) const;
};

// The band of an age in years: "0-17", "18-39", "40-64", "65-79", "80 and over".
const char* age_band(double age_years);

// Reads a Parquet file with subject_id, prediction_time if rows differ by time, and one column or
// more of texts, truth values or integers. A column of numbers whose name begins with "age" is
// dealt to under 18, 18-39, 40-64, 65-79, 80 and over. DataError for a null key, two rows with one
// key, another column of fractions, more than 20 values in a column, and a table without a column.
SubgroupTable read_subgroups(const std::string& path, ZoneRule zone_rule = ZoneRule::utc);

}  // namespace sequela
