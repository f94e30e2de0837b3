// Layout: a stored zip of "<name>.npy"; each is "\x93NUMPY" 1 0 | uint16 length | a Python dict as
// text, padded with spaces to a multiple of 64 and ended by a line feed | the values. Source:
// numpy/lib/format.py
#include "sequela/io/npz_file.h"

#include <algorithm>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/core/utf8.h"

namespace sequela {
namespace {

constexpr size_t kAlignment = 64;

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (const int64_t length : shape) text += std::to_string(length) + ", ";
  if (shape.size() > 1) text.resize(text.size() - 2);
  if (shape.size() == 1) text.pop_back();
  return text + ")";
}

std::string npy_header(const std::string& dtype, const std::vector<int64_t>& shape) {
  std::string text =
      "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': " + shape_text(shape) + ", }";
  constexpr size_t kFixed = 10;
  const size_t total = (kFixed + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(total - kFixed - 1, ' ');
  text += '\n';
  const auto length = static_cast<uint16_t>(text.size());
  std::string header("\x93NUMPY\x01\x00", 8);
  header.append(reinterpret_cast<const char*>(&length), sizeof(length));
  return header + text;
}

}  // namespace

void NpzWriter::begin(const std::string& name, const std::string& dtype,
                      const std::vector<int64_t>& shape, int64_t item_bytes) {
  const std::string header = npy_header(dtype, shape);
  int64_t num_bytes = item_bytes;
  for (const int64_t length : shape) {
    if (length < 0 || __builtin_mul_overflow(num_bytes, length, &num_bytes)) {
      throw std::invalid_argument("NpzWriter: impossible shape");
    }
  }
  zip_.begin_entry(name + ".npy", static_cast<int64_t>(header.size()) + num_bytes, kAlignment);
  zip_.write(header.data(), header.size());
}

void NpzWriter::begin_array(const std::string& name, NpyType type,
                            const std::vector<int64_t>& shape) {
  type_ = type;
  const bool is_float = type == NpyType::float32;
  begin(name, is_float ? "<f4" : "<i8", shape, is_float ? sizeof(float) : sizeof(int64_t));
}

void NpzWriter::append(std::span<const float> values) {
  if (type_ != NpyType::float32) throw std::invalid_argument("NpzWriter: the array is not float32");
  zip_.write(values.data(), values.size_bytes());
}

void NpzWriter::append(std::span<const int64_t> values) {
  if (type_ != NpyType::int64) throw std::invalid_argument("NpzWriter: the array is not int64");
  zip_.write(values.data(), values.size_bytes());
}

void NpzWriter::add_texts(const std::string& name, const std::vector<std::string>& texts) {
  size_t width = 1;
  for (const std::string& text : texts) width = std::max(width, decode_utf8(text).size());
  begin(name, str("<U", width), {static_cast<int64_t>(texts.size())},
        static_cast<int64_t>(width * sizeof(char32_t)));
  for (const std::string& text : texts) {
    std::u32string points = decode_utf8(text);
    points.resize(width);
    zip_.write(points.data(), points.size() * sizeof(char32_t));
  }
}

void NpzWriter::finish() {
  zip_.finish();
}

}  // namespace sequela
