#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>

#include <algorithm>
#include <mutex>

#include "sequela/core/error.h"
#include "sequela/io/arrow_leaf.h"
#include "sequela/io/arrow_stream.h"

namespace sequela {
namespace {

[[noreturn]] void fail(const std::string& path, std::string cause) {
  std::replace(cause.begin(), cause.end(), '\n', ' ');
  throw FileError(path, cause, "make the batches again");
}

template <class T>
T value_or_throw(arrow::Result<T> result, const std::string& path) {
  if (!result.ok()) fail(path, result.status().message());
  return std::move(result).ValueUnsafe();
}

std::shared_ptr<arrow::ipc::RecordBatchStreamReader> open_stream(const std::string& path) {
  const auto file =
      value_or_throw(arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ), path);
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  return value_or_throw(arrow::ipc::RecordBatchStreamReader::Open(file, options), path);
}

void collect_paths(const arrow::FieldVector& fields, const std::string& prefix,
                   std::vector<std::string>* paths) {
  for (const auto& field : fields) {
    if (field->type()->id() == arrow::Type::STRUCT) {
      collect_paths(field->type()->fields(), prefix + field->name() + ".", paths);
    } else {
      paths->push_back(prefix + field->name());
    }
  }
}

// The child numbers that lead to a leaf, the first being the column.
std::vector<int> find_leaf(const arrow::Schema& schema, const LeafField& wanted,
                           const std::string& path) {
  std::vector<int> steps;
  arrow::FieldVector fields = schema.fields();
  std::shared_ptr<arrow::DataType> type;
  for (size_t start = 0; start <= wanted.path.size();) {
    const size_t end = std::min(wanted.path.find('.', start), wanted.path.size());
    const std::string name = wanted.path.substr(start, end - start);
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field->name() == name; });
    if (found == fields.end()) fail(path, "holds no field '" + wanted.path + "'");
    steps.push_back(static_cast<int>(found - fields.begin()));
    type = (*found)->type();
    start = end + 1;
    if (start > wanted.path.size()) break;
    if (type->id() != arrow::Type::STRUCT) fail(path, "holds no field '" + wanted.path + "'");
    fields = type->fields();
  }
  const auto expected = leaf_field_type(wanted);
  if (!type->Equals(*expected)) {
    fail(path,
         str("field '", wanted.path, "' is ", type->ToString(), ", not ", expected->ToString()));
  }
  return steps;
}

// The part of a list's items that belongs to rows [first, first + count); both are updated.
std::shared_ptr<arrow::Array> enter_list(const std::shared_ptr<arrow::Array>& array, int64_t* first,
                                         int64_t* count) {
  const auto& list = static_cast<const arrow::ListArray&>(*array);
  const int64_t begin = list.value_offset(*first);
  *count = list.value_offset(*first + *count) - begin;
  *first = begin;
  return list.values();
}

}  // namespace

struct ArrowStreamReader::State {
  std::string path;
  std::vector<LeafField> wanted;
  std::vector<std::vector<int>> steps;  // of each wanted field
  arrow::RecordBatchVector batches;
  std::vector<int64_t> first_rows;  // of each batch, and the end
  std::unique_ptr<std::once_flag[]> is_checked;

  void check(const arrow::RecordBatch& batch) const;
  std::shared_ptr<arrow::Array> leaf_array(const arrow::RecordBatch& batch, size_t leaf) const;
  void read_leaf(const arrow::RecordBatch& batch, size_t leaf, int64_t row, StreamRow* out) const;
};

void ArrowStreamReader::State::check(const arrow::RecordBatch& batch) const {
  const arrow::Status status = batch.ValidateFull();
  if (!status.ok()) fail(path, status.message());
  for (size_t leaf = 0; leaf < wanted.size(); ++leaf) {
    std::shared_ptr<arrow::Array> array = leaf_array(batch, leaf);
    while (true) {
      if (array->null_count() > 0) fail(path, "field '" + wanted[leaf].path + "' holds nulls");
      if (array->type_id() != arrow::Type::LIST) break;
      array = static_cast<const arrow::ListArray&>(*array).values();
    }
  }
}

// The struct's own offset is applied by field().
std::shared_ptr<arrow::Array> ArrowStreamReader::State::leaf_array(const arrow::RecordBatch& batch,
                                                                   size_t leaf) const {
  std::shared_ptr<arrow::Array> array = batch.column(steps[leaf][0]);
  for (size_t i = 1; i < steps[leaf].size(); ++i) {
    array = static_cast<const arrow::StructArray&>(*array).field(steps[leaf][i]);
  }
  return array;
}

void ArrowStreamReader::State::read_leaf(const arrow::RecordBatch& batch, size_t leaf, int64_t row,
                                         StreamRow* out) const {
  const LeafField& field = wanted[leaf];
  std::shared_ptr<arrow::Array> array = leaf_array(batch, leaf);
  int64_t first = row;
  int64_t count = 1;
  if (field.is_list) array = enter_list(array, &first, &count);
  if (field.inner_size > 0) {
    const auto& lists = static_cast<const arrow::ListArray&>(*array);
    for (int64_t i = first; i < first + count; ++i) {
      if (lists.value_length(i) != field.inner_size) {
        fail(path,
             str("field '", field.path, "' holds lists of another size than ", field.inner_size));
      }
    }
    array = enter_list(array, &first, &count);
  }
  if (field.type == LeafType::boolean) {
    const auto& bits = static_cast<const arrow::BooleanArray&>(*array);
    std::vector<std::byte>& bytes = out->booleans[leaf];
    bytes.resize(count);
    for (int64_t i = 0; i < count; ++i) bytes[i] = std::byte{bits.Value(first + i)};
    out->leaves[leaf] = bytes;
    return;
  }
  const int64_t size = leaf_size(field.type);
  const auto& data = *array->data();
  if (count == 0 || data.buffers[1] == nullptr) {
    out->leaves[leaf] = {};
    return;
  }
  const auto* values = reinterpret_cast<const std::byte*>(data.buffers[1]->data());
  out->leaves[leaf] = LeafBytes(values + (data.offset + first) * size, count * size);
}

ArrowStreamReader::ArrowStreamReader(const std::string& path, std::vector<LeafField> wanted)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->wanted = std::move(wanted);
  const auto stream = open_stream(path);
  for (const LeafField& field : state_->wanted) {
    state_->steps.push_back(find_leaf(*stream->schema(), field, path));
  }
  state_->first_rows.push_back(0);
  while (const auto batch = value_or_throw(stream->Next(), path)) {
    state_->batches.push_back(batch);
    state_->first_rows.push_back(state_->first_rows.back() + batch->num_rows());
  }
  state_->is_checked = std::make_unique<std::once_flag[]>(state_->batches.size());
}

ArrowStreamReader::~ArrowStreamReader() = default;
ArrowStreamReader::ArrowStreamReader(ArrowStreamReader&&) noexcept = default;

int64_t ArrowStreamReader::num_rows() const {
  return state_->first_rows.back();
}

void ArrowStreamReader::read_row(int64_t row_index, StreamRow* row) const {
  if (row_index < 0 || row_index >= num_rows())
    throw std::invalid_argument("read_row: no such row");
  const auto& starts = state_->first_rows;
  const auto index = std::upper_bound(starts.begin(), starts.end(), row_index) - starts.begin() - 1;
  const arrow::RecordBatch& batch = *state_->batches[index];
  std::call_once(state_->is_checked[index], [&] { state_->check(batch); });
  row->leaves.resize(state_->wanted.size());
  row->booleans.resize(state_->wanted.size());
  for (size_t leaf = 0; leaf < state_->wanted.size(); ++leaf) {
    state_->read_leaf(batch, leaf, row_index - starts[index], row);
  }
}

std::vector<std::string> ArrowStreamReader::leaf_paths(const std::string& path) {
  std::vector<std::string> paths;
  collect_paths(open_stream(path)->schema()->fields(), "", &paths);
  return paths;
}

}  // namespace sequela
