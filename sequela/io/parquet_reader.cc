#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/io/arrow_convert.h"
#include "sequela/io/arrow_file.h"
#include "sequela/io/arrow_result.h"
#include "sequela/io/parquet.h"
#include "sequela/io/uri.h"

namespace sequela {
namespace {

constexpr int64_t kRunBytes = int64_t{64} << 20;
constexpr int64_t kMinRunRows = 1 << 10;
constexpr int64_t kMaxRunRows = 1 << 20;

const char* type_word(ColumnType type) {
  switch (type) {
    case ColumnType::int64:
      return "an integer";
    case ColumnType::float32:
      return "float32";
    case ColumnType::float64:
      return "float64";
    case ColumnType::boolean:
      return "boolean";
    case ColumnType::timestamp:
      return "a timestamp";
    case ColumnType::string:
      return "a string";
    case ColumnType::string_list:
      return "a list of strings";
    case ColumnType::int64_list:
      return "a list of integers";
    case ColumnType::float_list:
      return "a list of floats";
    case ColumnType::other:
      break;
  }
  return "another type";
}

constexpr const char* kFix =
    "see that it is a whole Parquet file that can be read; copy it, or write it, again";

// Runs code that calls Arrow or Parquet and gives every fault its place. Our own errors pass.
template <class Body>
auto guarded(const Where& where, Body body) {
  try {
    return body();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw_arrow_error(arrow::Status::OutOfMemory(""), where);
  } catch (const parquet::ParquetStatusException& error) {
    throw_arrow_error(error.status(), where, kFix);
  } catch (const std::exception& error) {
    throw_arrow_error(arrow::Status::Invalid(error.what()), where, kFix);
  }
}

void check_ok(const arrow::Status& status, const Where& where) {
  if (!status.ok()) throw_arrow_error(status, where, kFix);
}

// Arrow decodes texts into a dictionary only where every page holds them plain or as a dictionary.
bool can_be_read_as_dictionary(const parquet::FileMetaData& metadata, int leaf) {
  using parquet::Encoding;
  if (metadata.schema()->Column(leaf)->physical_type() != parquet::Type::BYTE_ARRAY) return false;
  constexpr Encoding::type kReadable[] = {Encoding::PLAIN, Encoding::PLAIN_DICTIONARY,
                                          Encoding::RLE_DICTIONARY, Encoding::RLE,
                                          Encoding::BIT_PACKED};
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const auto chunk = metadata.RowGroup(group)->ColumnChunk(leaf);
    for (const Encoding::type used : chunk->encodings()) {
      if (std::ranges::find(kReadable, used) == std::end(kReadable)) return false;
    }
  }
  return true;
}

ColumnInfo describe(const arrow::Field& field) {
  const arrow::DataType& type = *field.type();
  ColumnInfo info{.name = field.name(), .type = column_type(type), .type_name = type.ToString()};
  info.is_date = type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::DATE64;
  info.is_empty = type.id() == arrow::Type::NA;
  if (info.type == ColumnType::timestamp) {
    info.zone = static_cast<const arrow::TimestampType&>(type).timezone();
  }
  return info;
}

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) collect_leaves(child, leaves);
}

}  // namespace

struct ParquetReader::State {
  std::string path;
  std::shared_ptr<parquet::FileMetaData> metadata;
  std::unique_ptr<parquet::arrow::FileReader> reader;
  std::vector<ColumnInfo> columns;
  std::vector<std::vector<int>> leaves;  // of each column
  std::vector<int64_t> first_rows;       // of each row group, and the end

  void open(const std::string& path_or_uri);
  void read_schema();
  void read_row_counts();
  int64_t run_rows(int row_group, const std::vector<int>& wanted_leaves) const;
  std::unique_ptr<arrow::RecordBatchReader> decode(int row_group, const std::vector<int>& wanted);
};

void ParquetReader::State::open(const std::string& path_or_uri) {
  const Where where{.path = path};
  const OpenedFile file = open_for_reading(path_or_uri);
  std::unique_ptr<parquet::ParquetFileReader> probe = parquet::ParquetFileReader::Open(file.file);
  metadata = probe->metadata();

  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_pre_buffer(!file.is_local);
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);  // beyond 2262 as well
  for (int leaf = 0; leaf < metadata->num_columns(); ++leaf) {
    properties.set_read_dictionary(leaf, can_be_read_as_dictionary(*metadata, leaf));
  }
  // Arrow's own pool keeps what was freed, a third of all resident memory, and is no faster.
  arrow::MemoryPool* pool = arrow::system_memory_pool();
  parquet::arrow::FileReaderBuilder builder;
  check_ok(builder.Open(file.file, parquet::ReaderProperties(pool), metadata), where);
  builder.memory_pool(pool)->properties(properties);
  reader = value_or_throw(builder.Build(), where, kFix);
  read_schema();
  read_row_counts();
}

void ParquetReader::State::read_schema() {
  for (const auto& field : reader->manifest().schema_fields) {
    columns.push_back(describe(*field.field));
    collect_leaves(field, &leaves.emplace_back());
  }
}

void ParquetReader::State::read_row_counts() {
  first_rows.push_back(0);
  for (int group = 0; group < metadata->num_row_groups(); ++group) {
    const int64_t rows = metadata->RowGroup(group)->num_rows();
    int64_t end;
    if (rows < 0 || __builtin_add_overflow(first_rows.back(), rows, &end)) {
      throw DataError({.path = path, .row_group = group}, "an impossible number of rows",
                      "write the file again");
    }
    first_rows.push_back(end);
  }
}

// Rows to decode at a time, so that memory is bounded however large the row group. The sizes in the
// file need not be true; they only guide.
int64_t ParquetReader::State::run_rows(int row_group, const std::vector<int>& wanted_leaves) const {
  const auto group = metadata->RowGroup(row_group);
  const int64_t num_rows = std::max<int64_t>(group->num_rows(), 1);
  int64_t num_bytes = 0;
  for (const int leaf : wanted_leaves) {
    const int64_t size = group->ColumnChunk(leaf)->total_uncompressed_size();
    num_bytes += std::clamp<int64_t>(size, 0, int64_t{1} << 50) / num_rows;
  }
  return std::clamp<int64_t>(kRunBytes / std::max<int64_t>(num_bytes, 1), kMinRunRows, kMaxRunRows);
}

std::unique_ptr<arrow::RecordBatchReader> ParquetReader::State::decode(
    int row_group, const std::vector<int>& wanted) {
  std::vector<int> wanted_leaves;
  for (const int column : wanted) {
    wanted_leaves.insert(wanted_leaves.end(), leaves[column].begin(), leaves[column].end());
  }
  reader->set_batch_size(run_rows(row_group, wanted_leaves));
  return value_or_throw(reader->GetRecordBatchReader({row_group}, wanted_leaves),
                        Where{.path = path, .row_group = row_group}, kFix);
}

ParquetReader::ParquetReader(const std::string& path_or_uri) : state_(std::make_unique<State>()) {
  state_->path = shown_path(path_or_uri);
  guarded(Where{.path = state_->path}, [&] { state_->open(path_or_uri); });
}

ParquetReader::~ParquetReader() = default;

const std::string& ParquetReader::path() const {
  return state_->path;
}
const std::vector<ColumnInfo>& ParquetReader::columns() const {
  return state_->columns;
}
int64_t ParquetReader::num_rows() const {
  return state_->first_rows.back();
}
int ParquetReader::num_row_groups() const {
  return static_cast<int>(state_->first_rows.size()) - 1;
}

int64_t ParquetReader::row_group_rows(int row_group) const {
  return state_->first_rows.at(row_group + 1) - state_->first_rows.at(row_group);
}

std::optional<int> ParquetReader::find_column(const std::string& name) const {
  std::optional<int> found;
  for (size_t i = 0; i < state_->columns.size(); ++i) {
    if (state_->columns[i].name != name) continue;
    if (found) {
      throw DataError({.path = state_->path, .column = name},
                      "the file has two columns of this name",
                      "keep one of them, or rename the other");
    }
    found = static_cast<int>(i);
  }
  return found;
}

std::optional<int> ParquetReader::find_filled_column(const std::string& name) const {
  const std::optional<int> found = find_column(name);
  return found && state_->columns[*found].is_empty ? std::nullopt : found;
}

int ParquetReader::require_column(const std::string& name,
                                  const std::vector<ColumnType>& allowed) const {
  const Where where{.path = state_->path, .column = name};
  const std::optional<int> column = find_column(name);
  if (!column) throw DataError(where, "no such column", str("add a column '", name, "'"));
  const ColumnInfo& info = state_->columns[*column];
  if (std::find(allowed.begin(), allowed.end(), info.type) != allowed.end()) return *column;
  std::string wanted;
  for (const ColumnType type : allowed) {
    wanted += str(wanted.empty() ? "" : " or ", type_word(type));
  }
  throw DataError(where, str("has type ", info.type_name), str("store it as ", wanted));
}

void ParquetReader::read_row_group(int row_group, const std::vector<int>& columns,
                                   const std::function<void(const RowBatch&)>& visit) {
  Where where{.path = state_->path, .row_group = row_group};
  std::vector<int> wanted(columns);
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  std::vector<SliceMaker> makers;
  for (const int column : columns) {
    const ColumnInfo& info = state_->columns.at(column);
    if (info.type == ColumnType::other) {
      throw DataError({.path = state_->path, .column = info.name},
                      str("cannot read type ", info.type_name));
    }
    makers.emplace_back(info.type);
  }
  const int64_t end_row = state_->first_rows.at(row_group + 1);
  RowBatch batch{.row_group = row_group, .first_row = state_->first_rows[row_group]};
  const auto runs = guarded(where, [&] { return state_->decode(row_group, wanted); });
  const auto next_run = [&] {
    const auto run = value_or_throw(runs->Next(), where, kFix);
    if (run == nullptr) return false;
    check_ok(run->Validate(), where);
    batch.num_rows = run->num_rows();
    batch.columns.clear();
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto place =
          std::lower_bound(wanted.begin(), wanted.end(), columns[i]) - wanted.begin();
      where.column = state_->columns[columns[i]].name;
      batch.columns.push_back(makers[i].make(run->column(static_cast<int>(place)), where));
    }
    where.column.clear();
    return true;
  };
  while (guarded(where, next_run)) {
    visit(batch);
    batch.first_row += batch.num_rows;
  }
  if (batch.first_row != end_row) {
    throw DataError(where, "not as many rows as its header says", "write the file again");
  }
}

void ParquetReader::read(const std::vector<int>& columns,
                         const std::function<void(const RowBatch&)>& visit) {
  for (int group = 0; group < num_row_groups(); ++group) {
    throw_if_stopped();
    read_row_group(group, columns, visit);
  }
}

}  // namespace sequela
