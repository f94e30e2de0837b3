#include "sequela/features/cohort.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/io/csv.h"
#include "sequela/io/parquet.h"

namespace sequela {
namespace {

const char* const kSplitFix = "use train, validate or test in dataset_split";

int find_column(const std::vector<std::string>& columns, const std::string& name) {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

CohortSplit to_split(const std::string& text, const Where& where) {
  if (text == "train") return CohortSplit::train;
  if (text == "validate" || text == "validation" || text == "valid") return CohortSplit::valid;
  if (text == "test") return CohortSplit::test;
  throw DataError(where, "not a known split", kSplitFix);
}

std::string value_text(const ColumnInfo& info, const ColumnSlice& slice, int64_t i) {
  if (!slice.is_valid(i)) return "";
  switch (info.type) {
    case ColumnType::int64:
      return str(slice.int64s[i]);
    case ColumnType::float32:
      return float_text(slice.floats[i]);
    case ColumnType::float64:
      return float_text(slice.doubles[i]);
    case ColumnType::boolean:
      return slice.booleans[i] != 0 ? "True" : "False";
    default:
      return std::string(slice.text(i));
  }
}

Cohort read_parquet_cohort(const std::string& path, const std::string& label_column) {
  ParquetReader reader(path);
  std::vector<std::string> names;
  for (const auto& column : reader.columns()) names.push_back(column.name);
  CohortBuilder builder(path, names, label_column);
  reader.require_column("subject_id", {ColumnType::int64});
  reader.require_column("dataset_split", {ColumnType::string});
  const ColumnInfo& label_info = reader.columns()[builder.label_column()];
  reader.require_column(label_info.name,
                        {ColumnType::int64, ColumnType::float32, ColumnType::float64,
                         ColumnType::boolean, ColumnType::string});
  reader.read({builder.subject_column(), builder.split_column(), builder.label_column()},
              [&](const RowBatch& batch) {
                for (int64_t i = 0; i < batch.num_rows; ++i) {
                  const auto& split = batch.columns[1];
                  if (!batch.columns[0].is_valid(i) || !split.is_valid(i)) {
                    throw DataError({path, batch.row_group, batch.first_row + i},
                                    "null subject_id or dataset_split");
                  }
                  builder.add(batch.first_row + i, batch.columns[0].int64s[i],
                              std::string(split.text(i)),
                              value_text(label_info, batch.columns[2], i));
                }
              });
  return builder.finish();
}

Cohort read_csv_cohort(const std::string& path, const std::string& label_column) {
  CsvReader reader(path, ',', CsvQuoting::rfc4180);
  CohortBuilder builder(path, reader.header(), label_column);
  const size_t width = reader.header().size();
  reader.for_each_row([&](std::span<const std::string_view> fields, int64_t line) {
    if (fields.size() != width) {
      throw DataError({path},
                      str("line ", line, " has ", fields.size(), " fields, the header ", width));
    }
    builder.add_text(line, std::string(fields[builder.subject_column()]),
                     std::string(fields[builder.split_column()]),
                     std::string(fields[builder.label_column()]));
  });
  return builder.finish();
}

}  // namespace

std::string float_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return str(static_cast<int64_t>(value), ".0");
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return std::string(text, end);
}

CohortBuilder::CohortBuilder(std::string source, const std::vector<std::string>& columns,
                             const std::string& label_column)
    : source_(std::move(source)),
      subject_column_(find_column(columns, "subject_id")),
      split_column_(find_column(columns, "dataset_split")) {
  for (const char* name : {"subject_id", "dataset_split"}) {
    if (find_column(columns, name) < 0) {
      throw DataError({source_, -1, -1, name}, "missing from the cohort",
                      "give a table with subject_id, dataset_split and a label column");
    }
  }
  if (!label_column.empty()) {
    label_column_ = find_column(columns, label_column);
    if (label_column_ < 0)
      throw DataError({source_, -1, -1, label_column}, "missing from the cohort");
    label_name_ = label_column;
    return;
  }
  for (int i = 0; i < static_cast<int>(columns.size()); ++i) {
    if (i == subject_column_ || i == split_column_) continue;
    if (label_column_ >= 0) {
      throw ConfigError(str(source_,
                            ": has several columns that could be the label. Fix: name one "
                            "with --label-column."));
    }
    label_column_ = i;
  }
  if (label_column_ < 0) throw DataError({source_}, "the cohort has no label column");
  label_name_ = columns[label_column_];
}

void CohortBuilder::add(int64_t row, int64_t subject_id, const std::string& split,
                        const std::string& label) {
  if (label.empty()) {
    throw DataError({source_, -1, row, label_name_, subject_id}, "the member has no label",
                    "leave such rows out of the cohort");
  }
  const Where where{source_, -1, row, "dataset_split", subject_id};
  const CohortMember member{to_split(split, where), label};
  const auto [found, is_new] = cohort_.members.emplace(subject_id, member);
  if (is_new) {
    cohort_.order.push_back(subject_id);
  } else if (found->second.split != member.split || found->second.label != label) {
    throw DataError(where, "the subject is in the cohort twice, with another split or label",
                    "keep one row a subject");
  }
}

void CohortBuilder::add_text(int64_t row, const std::string& subject, const std::string& split,
                             const std::string& label) {
  int64_t id = 0;
  const char* end = subject.data() + subject.size();
  const auto parsed = std::from_chars(subject.data(), end, id);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    throw DataError({source_, -1, row, "subject_id"}, "not an integer");
  }
  add(row, id, split, label);
}

Cohort CohortBuilder::finish() {
  if (cohort_.order.empty()) throw DataError({source_}, "the cohort has no rows");
  return std::move(cohort_);
}

Cohort read_cohort_file(const std::string& path, const std::string& label_column) {
  if (path.ends_with(".parquet")) return read_parquet_cohort(path, label_column);
  if (path.ends_with(".csv")) return read_csv_cohort(path, label_column);
  throw ConfigError("cohort", path, "a .parquet or .csv file");
}

}  // namespace sequela
