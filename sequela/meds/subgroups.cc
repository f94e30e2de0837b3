#include "sequela/meds/subgroups.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/keyed_rows.h"

namespace sequela {
namespace {

constexpr size_t kMaxValues = 20;
constexpr double kAgeEdges[] = {18, 40, 65, 80};
// Spelt so that they sort by age.
constexpr const char* kAgeBands[] = {"0-17", "18-39", "40-64", "65-79", "80 and over"};

bool is_age(const ColumnInfo& info) {
  return (info.name == "age" || info.name.starts_with("age_")) && info.type != ColumnType::string &&
         info.type != ColumnType::boolean;
}

// The group of a row that is not null, as a text.
std::string group_of(const ColumnInfo& info, const ColumnSlice& slice, int64_t i) {
  if (info.type == ColumnType::string) return std::string(slice.text(i));
  if (info.type == ColumnType::boolean) return slice.number(i) != 0 ? "true" : "false";
  if (!is_age(info)) return str(slice.int64s[i]);
  const double age = slice.number(i);
  if (std::isnan(age)) throw DataError({.column = info.name}, "not a number", "leave it null");
  return age_band(age);
}

class SubgroupReader {
 public:
  SubgroupReader(const std::string& path, ZoneRule zone_rule)
      : reader_(path),
        key_columns_(reader_, zone_rule, KeyColumns::Times::if_filled, "give every row its key"),
        places_(key_columns_.columns()) {
    for (const ColumnInfo& info : reader_.columns()) {
      if (info.name == "subject_id" || info.name == "prediction_time" || info.is_empty) continue;
      places_.push_back(group_column(info));
      infos_.push_back(info);
      groups_.emplace_back();
    }
    if (infos_.empty()) {
      throw DataError({.path = reader_.path()}, "no column of groups",
                      "add one of texts, such as sex");
    }
  }

  SubgroupTable read();

 private:
  int group_column(const ColumnInfo& info) const {
    if (is_age(info)) {
      return reader_.require_column(info.name,
                                    {ColumnType::int64, ColumnType::float32, ColumnType::float64});
    }
    return reader_.require_column(info.name,
                                  {ColumnType::string, ColumnType::boolean, ColumnType::int64});
  }
  void read_row(const RowBatch& batch, int64_t i);
  std::vector<size_t> order_by_key() const;
  SubgroupTable::Column to_column(size_t column, const std::vector<size_t>& order) const;

  ParquetReader reader_;
  KeyColumns key_columns_;
  std::vector<int> places_;
  std::vector<ColumnInfo> infos_;
  std::vector<PredictionKey> keys_;
  std::vector<std::vector<std::optional<std::string>>> groups_;  // by column, then row
};

void SubgroupReader::read_row(const RowBatch& batch, int64_t i) {
  keys_.push_back(key_columns_.read(batch, i));
  const size_t first = key_columns_.columns().size();
  for (size_t c = 0; c < infos_.size(); ++c) {
    const ColumnSlice& slice = batch.columns[first + c];
    groups_[c].push_back(slice.is_valid(i) ? std::optional(group_of(infos_[c], slice, i))
                                           : std::nullopt);
  }
}

std::vector<size_t> SubgroupReader::order_by_key() const {
  std::vector<size_t> order(keys_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](size_t row) { return keys_[row]; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (keys_[order[i]] != keys_[order[i - 1]]) continue;
    throw DataError({.path = reader_.path(), .row = static_cast<int64_t>(order[i])},
                    str("the same ", key_columns_.has_times() ? "subject and time" : "subject",
                        " as row ", order[i - 1]),
                    "give each one row");
  }
  return order;
}

SubgroupTable::Column SubgroupReader::to_column(size_t column,
                                                const std::vector<size_t>& order) const {
  SubgroupTable::Column made{.name = infos_[column].name};
  for (const auto& group : groups_[column]) {
    if (!group) continue;
    const auto place = std::ranges::lower_bound(made.values, *group);
    if (place == made.values.end() || *place != *group) made.values.insert(place, *group);
    if (made.values.size() <= kMaxValues) continue;
    throw DataError({.path = reader_.path(), .column = made.name},
                    str("more than ", kMaxValues, " values"),
                    "gather them into fewer groups, or leave the column out");
  }
  for (const size_t row : order) {
    const auto& group = groups_[column][row];
    made.value_of.push_back(
        group ? static_cast<int32_t>(std::ranges::lower_bound(made.values, *group) -
                                     made.values.begin())
              : -1);
  }
  return made;
}

SubgroupTable SubgroupReader::read() {
  read_each_row(reader_, places_, [&](const RowBatch& batch, int64_t i) { read_row(batch, i); });
  SubgroupTable table{.has_times = key_columns_.has_times()};
  const std::vector<size_t> order = order_by_key();
  for (const size_t row : order) table.keys.push_back(keys_[row]);
  for (size_t c = 0; c < infos_.size(); ++c) table.columns.push_back(to_column(c, order));
  return table;
}

}  // namespace

int64_t SubgroupTable::find(PredictionKey key) const {
  if (!has_times) key.prediction_time_us = 0;
  const auto found = std::ranges::lower_bound(keys, key);
  return found != keys.end() && *found == key ? found - keys.begin() : -1;
}

const char* age_band(double age_years) {
  const auto edge = std::upper_bound(std::begin(kAgeEdges), std::end(kAgeEdges), age_years);
  return kAgeBands[edge - std::begin(kAgeEdges)];
}

SubgroupTable read_subgroups(const std::string& path, ZoneRule zone_rule) {
  return SubgroupReader(path, zone_rule).read();
}

}  // namespace sequela
