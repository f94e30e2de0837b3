#include "sequela/features/cohort.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/io/csv.h"
#include "sequela/io/parquet.h"
#include "sequela/io/unpack.h"
#include "sequela/meds/dataset.h"

namespace sequela {
namespace {

const char* const kSplitFix = "use train, validate or test";

std::optional<CohortSplit> find_split(const std::string& name) {
  const std::optional<SplitPart> part = parse_split_part(name);
  if (!part) return std::nullopt;
  switch (*part) {
    case SplitPart::train:
      return CohortSplit::train;
    case SplitPart::tuning:
      return CohortSplit::valid;
    case SplitPart::held_out:
      break;
  }
  return CohortSplit::test;
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
  const auto require = [&](int column, const std::vector<ColumnType>& types) {
    reader.require_column(names[static_cast<size_t>(column)], types);
  };
  require(builder.subject_column(), {ColumnType::int64});
  require(builder.split_column(), {ColumnType::string});
  std::vector<int> columns = {builder.subject_column(), builder.split_column()};
  const bool has_label = builder.label_column() >= 0;
  if (has_label) {
    require(builder.label_column(), {ColumnType::int64, ColumnType::float32, ColumnType::float64,
                                     ColumnType::boolean, ColumnType::string});
    columns.push_back(builder.label_column());
  }
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      const auto& split = batch.columns[1];
      if (!batch.columns[0].is_valid(i)) {
        throw DataError({path, batch.row_group, batch.first_row + i, "subject_id"}, "null",
                        "give every row a subject_id");
      }
      builder.add(batch.first_row + i, batch.columns[0].int64s[i],
                  split.is_valid(i) ? std::string(split.text(i)) : "",
                  has_label ? value_text(reader.columns()[columns[2]], batch.columns[2], i) : "");
    }
  });
  return builder.finish();
}

Cohort read_csv_cohort(const std::string& path, const std::string& label_column) {
  CsvReader reader(path, kDelimiterOfHeader, CsvQuoting::rfc4180);
  CohortBuilder builder(path, reader.header(), label_column);
  reader.for_each_row([&](std::span<const std::string_view> fields, int64_t line) {
    const auto field = [&](int column) {
      return column < 0 ? std::string() : std::string(stripped(fields[column]));
    };
    builder.add_text(line, field(builder.subject_column()), field(builder.split_column()),
                     field(builder.label_column()));
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
    : source_(std::move(source)) {
  const auto find = [&](const char* name) {
    return find_name_of_any_case(columns, name, source_).value_or(-1);
  };
  subject_column_ = find("subject_id");
  split_column_ = find("dataset_split");
  if (split_column_ < 0) split_column_ = find("split");
  for (const auto& [name, column] :
       {std::pair{"subject_id", subject_column_}, std::pair{"dataset_split", split_column_}}) {
    if (column >= 0) continue;
    throw DataError({source_, -1, -1, name}, "missing from the cohort",
                    "give a table with subject_id, dataset_split and a label column");
  }
  split_name_ = columns[static_cast<size_t>(split_column_)];
  choose_label(columns, label_column);
}

void CohortBuilder::choose_label(const std::vector<std::string>& columns,
                                 const std::string& label_column) {
  if (!label_column.empty()) {
    label_column_ = find_name_of_any_case(columns, label_column, source_).value_or(-1);
    if (label_column_ < 0) {
      throw DataError({source_, -1, -1, label_column}, "missing from the cohort",
                      "name a column of the cohort with --label-column");
    }
  }
  for (int i = 0; label_column.empty() && i < static_cast<int>(columns.size()); ++i) {
    if (i == subject_column_ || i == split_column_) continue;
    if (label_column_ >= 0) {
      throw ConfigError(str(source_,
                            ": has several columns that could be the label. Fix: name one "
                            "with --label-column."));
    }
    label_column_ = i;
  }
  cohort_.has_labels = label_column_ >= 0;
  if (cohort_.has_labels) label_name_ = columns[static_cast<size_t>(label_column_)];
}

void CohortBuilder::add(int64_t row, int64_t subject_id, const std::string& split,
                        const std::string& label) {
  if (split.empty()) {
    cohort_.without_split.push_back(subject_id);
    return;
  }
  if (label.empty() && cohort_.has_labels) {
    throw DataError({source_, -1, row, label_name_, subject_id}, "the member has no label",
                    "leave such rows out of the cohort");
  }
  const Where where{source_, -1, row, split_name_, subject_id};
  const std::optional<CohortSplit> part = find_split(split);
  if (!part) throw DataError(where, "not a known split", kSplitFix);
  const CohortMember member{*part, label};
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
    throw DataError({source_, -1, row, "subject_id"}, "not an integer",
                    "give every row a subject_id");
  }
  add(row, id, split, label);
}

Cohort CohortBuilder::finish() {
  if (cohort_.order.empty())
    throw DataError({source_}, "the cohort has no rows with a split", "give it some");
  return std::move(cohort_);
}

Cohort read_cohort_file(const std::string& path, const std::string& label_column) {
  const std::string ending = unpacked_ending(path);
  if (ending == ".parquet") return read_parquet_cohort(path, label_column);
  if (ending == ".csv" || ending == ".tsv") return read_csv_cohort(path, label_column);
  throw ConfigError("cohort", path, "a .parquet, .csv, .tsv or .csv.gz file");
}

}  // namespace sequela
