#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include "sequela/core/error.h"
#include "sequela/io/arrow_convert.h"
#include "sequela/io/arrow_file.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"

namespace sequela {
namespace {

// The C library's, as in the reader: Arrow's own pool keeps 40 MB of what was freed.
arrow::MemoryPool* memory() {
  return arrow::system_memory_pool();
}

void check_ok(const arrow::Status& status, const std::string& path) {
  if (!status.ok()) throw_arrow_error(status, Where{.path = path});
}

template <class Builder, class Values>
std::shared_ptr<arrow::Array> build_array(Builder&& builder, const Values& values,
                                          const std::vector<uint8_t>& valid) {
  PARQUET_THROW_NOT_OK(builder.Reserve(static_cast<int64_t>(values.size())));
  for (size_t i = 0; i < values.size(); ++i) {
    const bool is_null = !valid.empty() && !valid[i];
    PARQUET_THROW_NOT_OK(is_null ? builder.AppendNull() : builder.Append(values[i]));
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> build_text_lists(const std::vector<std::vector<std::string>>& rows,
                                               const std::vector<uint8_t>& valid) {
  auto items = std::make_shared<arrow::StringBuilder>(memory());
  arrow::ListBuilder lists(memory(), items);
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool is_null = !valid.empty() && !valid[i];
    PARQUET_THROW_NOT_OK(is_null ? lists.AppendNull() : lists.Append());
    if (!is_null) PARQUET_THROW_NOT_OK(items->AppendValues(rows[i]));
  }
  return lists.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> build_float_lists(const std::vector<float>& values, int32_t size,
                                                const std::vector<uint8_t>& valid) {
  if (values.size() % size != 0)
    throw std::invalid_argument("values do not fill the fixed-size lists");
  auto items = std::make_shared<arrow::FloatBuilder>(memory());
  arrow::FixedSizeListBuilder lists(memory(), items, size);
  PARQUET_THROW_NOT_OK(items->AppendValues(values));
  const auto num_rows = static_cast<int64_t>(values.size()) / size;
  PARQUET_THROW_NOT_OK(lists.AppendValues(num_rows, valid.empty() ? nullptr : valid.data()));
  return lists.Finish().ValueOrDie();
}

// Turns the values of a column, whatever they hold, into an Arrow array.
struct ArrayMaker {
  const TableColumn& column;

  std::shared_ptr<arrow::Array> operator()(const std::vector<int64_t>& values) const {
    if (!column.is_timestamp)
      return build_array(arrow::Int64Builder(memory()), values, column.valid);
    return build_array(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO), memory()),
                       values, column.valid);
  }
  std::shared_ptr<arrow::Array> operator()(const std::vector<int32_t>& values) const {
    return build_array(arrow::Int32Builder(memory()), values, column.valid);
  }
  std::shared_ptr<arrow::Array> operator()(const std::vector<float>& values) const {
    if (column.fixed_list_size > 0) {
      return build_float_lists(values, column.fixed_list_size, column.valid);
    }
    return build_array(arrow::FloatBuilder(memory()), values, column.valid);
  }
  std::shared_ptr<arrow::Array> operator()(const std::vector<double>& values) const {
    return build_array(arrow::DoubleBuilder(memory()), values, column.valid);
  }
  std::shared_ptr<arrow::Array> operator()(const std::vector<uint8_t>& values) const {
    return build_array(arrow::BooleanBuilder(memory()), values, column.valid);
  }
  std::shared_ptr<arrow::Array> operator()(const std::vector<std::string>& values) const {
    if (column.is_large_text) {
      return build_array(arrow::LargeStringBuilder(memory()), values, column.valid);
    }
    return build_array(arrow::StringBuilder(memory()), values, column.valid);
  }
  std::shared_ptr<arrow::Array> operator()(
      const std::vector<std::vector<std::string>>& values) const {
    return build_text_lists(values, column.valid);
  }
};

std::shared_ptr<parquet::WriterProperties> writer_properties() {
  return parquet::WriterProperties::Builder()
      .memory_pool(memory())
      ->compression(parquet::Compression::ZSTD)
      ->max_row_group_length(int64_t{1} << 26)
      ->build();
}

}  // namespace

struct ParquetWriter::State {
  explicit State(const std::string& path) : path(path), file(path) {}

  std::string path;
  AtomicFile file;
  std::unique_ptr<parquet::arrow::FileWriter> writer;

  void write(const Table& table);
};

void ParquetWriter::State::write(const Table& table) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const TableColumn& column : table) {
    arrays.push_back(std::visit(ArrayMaker{column}, column.values));
    fields.push_back(arrow::field(column.name, arrays.back()->type()));
  }
  const auto arrow_table = arrow::Table::Make(arrow::schema(fields), arrays);
  check_ok(arrow_table->Validate(), path);
  if (writer == nullptr) {
    auto made = parquet::arrow::FileWriter::Open(
        *arrow_table->schema(), memory(), make_output_stream(&file), writer_properties(),
        parquet::ArrowWriterProperties::Builder().store_schema()->build());
    check_ok(made.status(), path);
    writer = std::move(made).ValueUnsafe();
  }
  check_ok(writer->WriteTable(*arrow_table, std::max<int64_t>(arrow_table->num_rows(), 1)), path);
}

ParquetWriter::ParquetWriter(const std::string& path) : state_(std::make_unique<State>(path)) {}
ParquetWriter::~ParquetWriter() = default;

void ParquetWriter::write(const Table& table) {
  state_->write(table);
}

void ParquetWriter::finish() {
  if (state_->writer == nullptr) throw std::invalid_argument("ParquetWriter: nothing was written");
  check_ok(state_->writer->Close(), state_->path);
  state_->file.commit();
}

void write_parquet(const std::string& path, const Table& table) {
  ParquetWriter writer(path);
  writer.write(table);
  writer.finish();
}

}  // namespace sequela
