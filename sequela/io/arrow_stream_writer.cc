#include <arrow/api.h>
#include <arrow/ipc/writer.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/core/sha256.h"
#include "sequela/io/arrow_file.h"
#include "sequela/io/arrow_leaf.h"
#include "sequela/io/arrow_stream.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr int64_t kMaxValues = std::numeric_limits<int32_t>::max();

// The rows of one leaf that wait to be written.
struct LeafColumn {
  LeafField field;
  std::string bytes;
  std::vector<int32_t> offsets{0};  // of the rows, in list items

  int64_t num_values() const { return static_cast<int64_t>(bytes.size()) / leaf_size(field.type); }
};

std::shared_ptr<arrow::Buffer> pack_bits(const std::string& bytes) {
  std::string bits((bytes.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != 0) bits[i >> 3] = static_cast<char>(bits[i >> 3] | (1 << (i & 7)));
  }
  return arrow::Buffer::FromString(std::move(bits));
}

std::shared_ptr<arrow::ArrayData> list_data(std::vector<int32_t> offsets,
                                            std::shared_ptr<arrow::ArrayData> items) {
  const auto length = static_cast<int64_t>(offsets.size()) - 1;
  auto data = arrow::ArrayData::Make(arrow::list(items->type), length,
                                     {nullptr, arrow::Buffer::FromVector(std::move(offsets))}, 0);
  data->child_data = {std::move(items)};
  return data;
}

// Turns the waiting rows into an Arrow array and forgets them.
std::shared_ptr<arrow::Array> take_array(LeafColumn* column) {
  const int64_t num_values = column->num_values();
  const bool is_boolean = column->field.type == LeafType::boolean;
  std::shared_ptr<arrow::Buffer> buffer =
      is_boolean ? pack_bits(column->bytes) : arrow::Buffer::FromString(std::move(column->bytes));
  column->bytes.clear();
  auto data = arrow::ArrayData::Make(leaf_value_type(column->field.type), num_values,
                                     {nullptr, std::move(buffer)}, 0);
  if (column->field.inner_size > 0) {
    std::vector<int32_t> inner(num_values / column->field.inner_size + 1);
    for (size_t i = 0; i < inner.size(); ++i) {
      inner[i] = static_cast<int32_t>(i * column->field.inner_size);
    }
    data = list_data(std::move(inner), std::move(data));
  }
  if (column->field.is_list) data = list_data(std::move(column->offsets), std::move(data));
  column->offsets.assign(1, 0);
  return arrow::MakeArray(data);
}

// Gathers arrays [begin, end) of the same parent struct, whose path has `depth` bytes, into fields.
void gather(const std::vector<LeafColumn>& columns, const arrow::ArrayVector& arrays, size_t begin,
            size_t end, size_t depth, arrow::FieldVector* fields, arrow::ArrayVector* nested) {
  while (begin < end) {
    const std::string& path = columns[begin].field.path;
    const size_t dot = path.find('.', depth);
    const std::string name = path.substr(depth, dot - depth);
    size_t next = begin + 1;
    std::shared_ptr<arrow::Array> array = arrays[begin];
    if (dot != std::string::npos) {
      const std::string prefix = path.substr(0, dot + 1);
      while (next < end && columns[next].field.path.starts_with(prefix)) ++next;
      arrow::FieldVector members;
      arrow::ArrayVector values;
      gather(columns, arrays, begin, next, dot + 1, &members, &values);
      array = arrow::StructArray::Make(values, members).ValueOrDie();
    }
    fields->push_back(arrow::field(name, array->type()));
    nested->push_back(std::move(array));
    begin = next;
  }
}

void check_ok(const arrow::Status& status, const std::string& path) {
  if (!status.ok()) throw FileError(path, status.message());
}

}  // namespace

struct ArrowStreamWriter::State {
  State(const std::string& path, int rows_per_record_batch)
      : path(path), rows_per_record_batch(rows_per_record_batch), file(path) {}

  std::string path;
  int rows_per_record_batch;
  AtomicFile file;
  std::vector<LeafField> fields;
  std::vector<LeafColumn> columns;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer;
  Sha256 digest;
  int64_t num_waiting = 0;
  int64_t num_rows = 0;

  void check_row(std::span<const LeafBytes> leaves) const;
  bool is_full(std::span<const LeafBytes> leaves) const;
  void flush();
};

void ArrowStreamWriter::State::check_row(std::span<const LeafBytes> leaves) const {
  if (leaves.size() != columns.size())
    throw std::invalid_argument("write_row: not one span a field");
  for (size_t i = 0; i < leaves.size(); ++i) {
    const LeafField& field = columns[i].field;
    const int64_t item = leaf_size(field.type) * std::max<int64_t>(field.inner_size, 1);
    const auto size = static_cast<int64_t>(leaves[i].size());
    if (size % item != 0 || (!field.is_list && size != item)) {
      throw std::invalid_argument("write_row: '" + field.path + "' has a part of a value");
    }
    if (size / leaf_size(field.type) > kMaxValues) {
      throw std::invalid_argument("write_row: '" + field.path + "' has too many values");
    }
  }
}

// True if the row does not fit in the current record batch.
bool ArrowStreamWriter::State::is_full(std::span<const LeafBytes> leaves) const {
  if (num_waiting >= rows_per_record_batch) return true;
  for (size_t i = 0; i < leaves.size(); ++i) {
    const int64_t more = static_cast<int64_t>(leaves[i].size()) / leaf_size(columns[i].field.type);
    if (columns[i].num_values() + more > kMaxValues) return true;
  }
  return false;
}

void ArrowStreamWriter::State::flush() {
  arrow::ArrayVector arrays;
  for (LeafColumn& column : columns) arrays.push_back(take_array(&column));
  arrow::FieldVector members;
  arrow::ArrayVector nested;
  gather(columns, arrays, 0, columns.size(), 0, &members, &nested);
  if (writer == nullptr) {
    const auto metadata = arrow::key_value_metadata(
        {"huggingface"}, {"{\"info\": {\"features\": " + features_json(fields) + "}}"});
    arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
    options.alignment = 64;
    options.use_threads = false;
    auto made = arrow::ipc::MakeStreamWriter(make_output_stream(&file),
                                             arrow::schema(members, metadata), options);
    check_ok(made.status(), path);
    writer = std::move(made).ValueUnsafe();
  }
  if (num_waiting > 0) {
    const auto batch = arrow::RecordBatch::Make(arrow::schema(members), num_waiting, nested);
    check_ok(writer->WriteRecordBatch(*batch), path);
  }
  num_waiting = 0;
}

ArrowStreamWriter::ArrowStreamWriter(const std::string& path, std::vector<LeafField> fields,
                                     int rows_per_record_batch)
    : state_(std::make_unique<State>(path, rows_per_record_batch)) {
  for (const LeafField& field : fields) state_->columns.push_back({.field = field});
  state_->fields = std::move(fields);
}

ArrowStreamWriter::~ArrowStreamWriter() = default;

void ArrowStreamWriter::write_row(std::span<const LeafBytes> leaves) {
  state_->check_row(leaves);
  if (state_->is_full(leaves)) state_->flush();
  for (size_t i = 0; i < leaves.size(); ++i) {
    LeafColumn& column = state_->columns[i];
    column.bytes.append(reinterpret_cast<const char*>(leaves[i].data()), leaves[i].size());
    const int64_t inner = std::max<int64_t>(column.field.inner_size, 1);
    column.offsets.push_back(static_cast<int32_t>(column.num_values() / inner));
    const uint64_t size = leaves[i].size();
    state_->digest.update(&size, sizeof(size));
    state_->digest.update(leaves[i].data(), leaves[i].size());
  }
  ++state_->num_waiting;
  ++state_->num_rows;
}

StreamFile ArrowStreamWriter::finish() {
  state_->flush();
  check_ok(state_->writer->Close(), state_->path);
  const int64_t num_bytes = state_->file.size();
  state_->file.commit();
  return {.name = state_->path.substr(state_->path.rfind('/') + 1),
          .num_rows = state_->num_rows,
          .num_bytes = num_bytes,
          .digest = to_hex(state_->digest.finish())};
}

}  // namespace sequela
