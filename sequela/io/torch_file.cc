// Layout: a stored zip with archive/data.pkl (the dict, pickle protocol 2), archive/byteorder,
// archive/data/<i> (the values of tensor i, at a multiple of 64 bytes) and archive/version.
// Source: torch/serialization.py (_save), torch/_weights_only_unpickler.py, Python's pickletools.py
#include "sequela/io/torch_file.h"

#include <algorithm>
#include <stdexcept>

#include "sequela/core/utf8.h"

namespace sequela {
namespace {

constexpr int64_t kAlignment = 64;

// Writes the few pickle instructions that are needed.
class Pickler {
 public:
  Pickler& op(std::string_view codes) {
    bytes_.append(codes);
    return *this;
  }
  Pickler& text(std::string_view text) {
    const std::string value = to_valid_utf8(text);
    if (value.size() > UINT32_MAX) throw std::invalid_argument("torch file: a text too long");
    op("X").raw(value.size(), 4);
    return op(value);
  }
  Pickler& integer(int64_t value) {
    if (value >= INT32_MIN && value <= INT32_MAX)
      return op("J").raw(static_cast<uint64_t>(value), 4);
    return op("\x8a\x08").raw(static_cast<uint64_t>(value), 8);
  }
  Pickler& integers(const std::vector<int64_t>& values) {
    op("(");
    for (const int64_t value : values) integer(value);
    return op("t");
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Pickler& raw(uint64_t value, size_t size) {
    bytes_.append(reinterpret_cast<const char*>(&value), size);
    return *this;
  }
  std::string bytes_;
};

int64_t count_values(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t length : shape) {
    if (length < 0 || __builtin_mul_overflow(count, length, &count)) {
      throw std::invalid_argument("torch file: impossible shape");
    }
  }
  return count;
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
void pickle_tensor(Pickler* pickler, const std::vector<int64_t>& shape, int64_t number) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i > 1; --i) {
    strides[i - 2] = strides[i - 1] * std::max<int64_t>(shape[i - 1], 1);
  }
  pickler->op("ctorch._utils\n_rebuild_tensor_v2\n(");
  pickler->op("(").text("storage").op("ctorch\nFloatStorage\n").text(std::to_string(number));
  pickler->text("cpu").integer(count_values(shape)).op("tQ");
  pickler->integer(0).integers(shape).integers(strides);
  pickler->op(
      "\x89"
      "ccollections\nOrderedDict\n)RtR");
}

std::string pickle(const std::vector<TorchEntry>& entries) {
  Pickler pickler;
  pickler.op("\x80\x02");
  if (entries.size() == 1 && entries[0].name.empty()) {
    pickle_tensor(&pickler, std::get<std::vector<int64_t>>(entries[0].shape_or_texts), 0);
    return pickler.op(".").bytes();
  }
  pickler.op("}(");
  int64_t number = 0;
  for (const TorchEntry& entry : entries) {
    pickler.text(entry.name);
    if (const auto* shape = std::get_if<std::vector<int64_t>>(&entry.shape_or_texts)) {
      pickle_tensor(&pickler, *shape, number++);
      continue;
    }
    pickler.op("](");
    for (const std::string& text : std::get<std::vector<std::string>>(entry.shape_or_texts)) {
      pickler.text(text);
    }
    pickler.op("e");
  }
  return pickler.op("u.").bytes();
}

}  // namespace

TorchFileWriter::TorchFileWriter(const std::string& path, const std::vector<TorchEntry>& entries)
    : zip_(path) {
  for (const TorchEntry& entry : entries) {
    const auto* shape = std::get_if<std::vector<int64_t>>(&entry.shape_or_texts);
    if (shape != nullptr) num_values_.push_back(count_values(*shape));
  }
  add_record("data.pkl", pickle(entries));
  add_record("byteorder", "little");
}

void TorchFileWriter::add_record(const std::string& name, const std::string& content) {
  zip_.begin_entry("archive/" + name, static_cast<int64_t>(content.size()), kAlignment);
  zip_.write(content.data(), content.size());
}

void TorchFileWriter::begin_next_tensor() {
  if (next_tensor_ == num_values_.size())
    throw std::invalid_argument("torch file: too many values");
  left_ = num_values_[next_tensor_];
  zip_.begin_entry("archive/data/" + std::to_string(next_tensor_),
                   left_ * static_cast<int64_t>(sizeof(float)), kAlignment);
  ++next_tensor_;
}

void TorchFileWriter::append(std::span<const float> values) {
  while (!values.empty()) {
    while (left_ == 0) begin_next_tensor();
    const auto count = std::min(values.size(), static_cast<size_t>(left_));
    zip_.write(values.data(), count * sizeof(float));
    left_ -= static_cast<int64_t>(count);
    values = values.subspan(count);
  }
}

void TorchFileWriter::finish() {
  while (left_ == 0 && next_tensor_ < num_values_.size()) begin_next_tensor();
  if (left_ != 0) throw std::invalid_argument("torch file: values are missing");
  add_record("version", "3\n");
  zip_.finish();
}

}  // namespace sequela
