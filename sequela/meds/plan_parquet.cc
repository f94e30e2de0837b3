#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/io/file.h"
#include "sequela/meds/ingest_plan.h"
#include "sequela/meds/shard_reader.h"

namespace sequela {
namespace {

// Private bytes per row and column while rows are decoded: values, null bits, dictionary.
// ParquetReader holds no more than so many rows at a time.
constexpr int64_t kDecodeBytesPerValue = 24;
constexpr int64_t kMaxRunRows = int64_t{1} << 20;
constexpr int64_t kMaxShardRows = int64_t{1} << 40;

struct ShardHeader {
  std::vector<ColumnInfo> columns;
  int64_t num_rows = 0;
  int64_t max_run_rows = 0;
  std::string fingerprint;  // empty = not known
  TimeNotes time_notes;
};

ShardHeader read_header(const std::string& path) {
  const ParquetReader reader(path);
  if (reader.num_rows() == 0) return {};  // its columns may have no type
  check_meds_columns(reader);
  ShardHeader header{.columns = reader.columns(), .num_rows = reader.num_rows()};
  header.time_notes = TimeColumn(reader, "time", ZoneRule::utc).notes();
  if (header.num_rows > kMaxShardRows) {
    throw DataError({.path = path}, "an impossible number of rows", "write the file again");
  }
  for (int group = 0; group < reader.num_row_groups(); ++group) {
    const int64_t rows = std::min(reader.row_group_rows(group), kMaxRunRows);
    header.max_run_rows = std::max(header.max_run_rows, rows);
  }
  header.fingerprint = shard_fingerprint(path);
  return header;
}

// Strings and times are text; lists and the like cannot be properties.
std::vector<PropertyCandidate> candidates_of(const std::vector<ShardHeader>& headers,
                                             const IngestOptions& options) {
  std::vector<PropertyCandidate> candidates;
  std::vector<std::string> left_out;
  for (const ShardHeader& header : headers) {
    for (const ColumnInfo& column : header.columns) {
      if (column.name == "subject_id" || column.name == "time" || column.name == "code") continue;
      const bool is_list = column.type == ColumnType::string_list ||
                           column.type == ColumnType::int64_list ||
                           column.type == ColumnType::float_list;
      if (column.is_empty) continue;
      if (column.type == ColumnType::other || is_list) {
        left_out.push_back(column.name);
        continue;
      }
      const bool is_text =
          column.type == ColumnType::string || column.type == ColumnType::timestamp;
      candidates.push_back({column.name, is_text});
    }
  }
  std::sort(left_out.begin(), left_out.end());
  left_out.erase(std::unique(left_out.begin(), left_out.end()), left_out.end());
  if (options.properties == std::vector<std::string>{"all"}) {
    for (const std::string& name : left_out) {
      log_warning(str("column '", name, "' is left out: its type cannot be a property"));
    }
  }
  return candidates;
}

}  // namespace

IngestPlan plan_parquet(const Dataset& dataset, const IngestOptions& options) {
  std::vector<ShardHeader> headers(dataset.shards.size());
  parallel_for(dataset.shards.size(), options.num_threads,
               [&](int64_t i, int) { headers[i] = read_header(dataset.shards[i]); });
  IngestPlan plan{.properties = choose_properties(candidates_of(headers, options), options)};
  TimeNotes notes;
  for (const ShardHeader& header : headers) notes.add(header.time_notes);
  notes.say("events", options.zone_rule);
  plan.has_local_times = options.zone_rule == ZoneRule::local && !notes.zone.empty();
  const int64_t row_bytes =
      kDecodeBytesPerValue * (3 + static_cast<int64_t>(plan.properties.size()));
  for (size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].num_rows == 0) continue;
    const std::string& path = dataset.shards[i];
    plan.num_events += headers[i].num_rows;
    const std::string& fingerprint = headers[i].fingerprint;
    plan.shards.push_back({.path = path,
                           .identity = str(dataset.name_of(path), ' ', fingerprint),
                           .is_reusable = !fingerprint.empty(),
                           .num_events = headers[i].num_rows,
                           .memory_bytes = headers[i].max_run_rows * row_bytes,
                           .decode = [path, properties = plan.properties,
                                      rule = options.zone_rule](ShardBuilder* builder) {
                             read_parquet_shard(path, properties, rule, builder);
                           }});
  }
  return plan;
}

}  // namespace sequela
