#include <algorithm>
#include <cstring>
#include <set>

#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/torch_reader.h"

namespace sequela {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kUsualKeys[] = {"state_dict", "model_state_dict", "model", "module"};

bool holds_tensors(const PickleValue& value) {
  if (!value.is_dict()) return false;
  for (const auto& [key, member] : value.dict()) {
    if (key.is_text() && member.is_tensor()) return true;
  }
  return false;
}

bool is_usual_key(const PickleValue& key) {
  return key.is_text() && std::find(std::begin(kUsualKeys), std::end(kUsualKeys), key.text()) !=
                              std::end(kUsualKeys);
}

// The outermost dict that holds tensors; nullptr if there is none.
const PickleValue* find_state_dict(const PickleValue& value, const std::string& path) {
  if (!value.is_dict() || holds_tensors(value)) return value.is_dict() ? &value : nullptr;
  for (const std::string_view key : kUsualKeys) {
    const PickleValue* member = value.find(key);
    const PickleValue* found = member == nullptr ? nullptr : find_state_dict(*member, path);
    if (found != nullptr) return found;
  }
  const PickleValue* only = nullptr;
  for (const auto& [key, member] : value.dict()) {
    const PickleValue* found = is_usual_key(key) ? nullptr : find_state_dict(member, path);
    if (found == nullptr) continue;
    if (only != nullptr) {
      throw FileError(path,
                      "holds several dicts of tensors, none of them called state_dict or model",
                      "save the model's state_dict() alone");
    }
    only = found;
  }
  return only;
}

int64_t checked_multiply(int64_t a, int64_t b, const std::string& path) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product))
    fail_weights(path, "holds a tensor too large to count");
  return product;
}

int64_t count_elements(const std::vector<int64_t>& shape, const std::string& path) {
  int64_t count = 1;
  for (const int64_t length : shape) {
    if (length == 0) return 0;
  }
  for (const int64_t length : shape) count = checked_multiply(count, length, path);
  return count;
}

bool is_contiguous(const PickleTensor& tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.shape.size(); i > 0; --i) {
    if (tensor.shape[i - 1] == 1) continue;
    if (tensor.strides[i - 1] != expected) return false;
    expected *= tensor.shape[i - 1];
  }
  return true;
}

// The elements from the tensor's first to its last, whatever lies between them; checked.
Bytes find_extent(const PickleTensor& tensor, Bytes storage, const std::string& path) {
  int64_t last = tensor.offset;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    const int64_t step = checked_multiply(tensor.shape[i] - 1, tensor.strides[i], path);
    if (__builtin_add_overflow(last, step, &last)) {
      fail_weights(path, "holds a tensor too large to count");
    }
  }
  const int64_t size = dtype_size(tensor.dtype);
  const int64_t available = static_cast<int64_t>(storage.size()) / size;
  if (last >= available) fail_weights(path, "holds a tensor that reaches beyond its storage");
  return storage.subspan(tensor.offset * size, (last - tensor.offset + 1) * size);
}

// Writes the tensor's elements one after the other, the last index fastest.
void gather(const PickleTensor& tensor, Bytes extent, std::byte* out) {
  const int64_t size = dtype_size(tensor.dtype);
  const size_t rank = tensor.shape.size();
  std::vector<int64_t> index(rank, 0);
  int64_t position = 0;
  while (true) {
    for (int64_t i = 0; i < tensor.shape[rank - 1]; ++i, out += size) {
      std::memcpy(out, extent.data() + (position + i * tensor.strides[rank - 1]) * size, size);
    }
    size_t axis = rank - 1;
    while (axis > 0) {
      --axis;
      position += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) break;
      position -= tensor.strides[axis] * tensor.shape[axis];
      index[axis] = 0;
      if (axis == 0) return;
    }
    if (rank == 1) return;
  }
}

class TensorCollector {
 public:
  TensorCollector(const TorchStorages& storages, size_t max_copied_bytes, const std::string& path)
      : storages_(storages), max_copied_bytes_(max_copied_bytes), path_(path) {}

  void add(const std::string& name, const PickleTensor& tensor) {
    if (!names_.insert(name).second) fail_weights(path_, "names a tensor twice");
    TensorView view{.name = name, .dtype = tensor.dtype, .shape = tensor.shape};
    const auto found = storages_.find(tensor.storage);
    if (found == storages_.end()) fail_weights(path_, "lacks the storage of a tensor");
    const auto num_bytes = static_cast<size_t>(tensor.storage_bytes);
    if (num_bytes > found->second.size()) fail_weights(path_, "holds a storage that is cut short");
    const int64_t count = count_elements(tensor.shape, path_);
    if (count > 0) view.bytes = find_bytes(tensor, count, found->second.first(num_bytes));
    result_.tensors.push_back(std::move(view));
  }

  TorchTensors finish() { return std::move(result_); }

 private:
  Bytes find_bytes(const PickleTensor& tensor, int64_t count, Bytes storage) {
    const Bytes extent = find_extent(tensor, storage, path_);
    if (is_contiguous(tensor)) return extent;
    const int64_t num_bytes = checked_multiply(count, dtype_size(tensor.dtype), path_);
    if (static_cast<size_t>(num_bytes) > max_copied_bytes_) {
      throw FileError(path_, "holds expanded views that are larger than the file",
                      "call contiguous() on the tensors before they are saved");
    }
    max_copied_bytes_ -= static_cast<size_t>(num_bytes);
    auto copy = std::make_shared<std::vector<std::byte>>(num_bytes);
    gather(tensor, extent, copy->data());
    result_.owners.push_back(copy);
    return *copy;
  }

  const TorchStorages& storages_;
  size_t max_copied_bytes_;
  const std::string& path_;
  std::set<std::string_view> names_;
  TorchTensors result_;
};

}  // namespace

TorchTensors to_torch_tensors(const PickleValue& root, const TorchStorages& storages,
                              size_t max_copied_bytes, const std::string& path) {
  TensorCollector collector(storages, max_copied_bytes, path);
  if (root.is_tensor()) {
    static const std::string kLoneName = "tensor";
    collector.add(kLoneName, root.tensor());
    return collector.finish();
  }
  const PickleValue* weights = find_state_dict(root, path);
  if (weights == nullptr) {
    throw FileError(path, "holds no tensors by name", "save the model's state_dict()");
  }
  for (const auto& [key, value] : weights->dict()) {
    if (key.is_text() && value.is_tensor()) collector.add(key.text(), value.tensor());
  }
  return collector.finish();
}

}  // namespace sequela
