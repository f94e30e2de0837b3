// NumPy's array file:
//
//   "\x93NUMPY", u8 major, u8 minor, header's length (u16 of version 1, else u32), header, values
//
// The header is the text of a Python dict:
//
//   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//
// An archive is a zip with one such file an entry, "<name>.npy". Source: numpy/lib/format.py.
#include "sequela/io/weights/npz_reader.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>

#include "sequela/io/file.h"
#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/zip_reader.h"

namespace sequela {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kZipMagic = "PK";
constexpr size_t kMaxDimensions = 32;

// The text after `'key':` and spaces.
std::string_view value_of(std::string_view header, std::string_view key, const std::string& path) {
  const std::string quoted = str("'", key, "':");
  const size_t at = header.find(quoted);
  if (at == std::string_view::npos) fail_weights(path, str("an array's header has no ", key));
  std::string_view rest = header.substr(at + quoted.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

std::optional<DType> to_dtype(std::string_view text) {
  static const std::map<std::string_view, DType> kTypes = {
      {"<f4", DType::float32}, {"<f8", DType::float64}, {"<f2", DType::float16},
      {"<i8", DType::int64},   {"<i4", DType::int32},   {"<i2", DType::int16},
      {"|i1", DType::int8},    {"<u8", DType::uint64},  {"<u4", DType::uint32},
      {"<u2", DType::uint16},  {"|u1", DType::uint8},   {"|b1", DType::boolean}};
  const auto found = kTypes.find(text);
  if (found == kTypes.end()) return std::nullopt;
  return found->second;
}

std::vector<int64_t> parse_shape(std::string_view text, const std::string& path) {
  std::vector<int64_t> shape;
  const size_t end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) {
    fail_weights(path, "an array's shape is not a tuple");
  }
  std::string_view rest = text.substr(1, end - 1);
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(", "), rest.size()));
    if (rest.empty()) return shape;
    int64_t length = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    if (parsed.ec != std::errc() || length < 0 || shape.size() == kMaxDimensions) {
      fail_weights(path, "an array's shape holds something else than lengths");
    }
    shape.push_back(length);
    rest.remove_prefix(static_cast<size_t>(parsed.ptr - rest.data()));
  }
}

// Nothing for an array that does not hold numbers.
std::optional<TensorView> parse_npy(std::span<const std::byte> bytes, std::string name,
                                    const std::string& path) {
  ByteReader reader(bytes, path);
  if (reader.text(kMagic.size()) != kMagic) {
    fail_weights(path, str("'", printable(name), "' is no array of NumPy"));
  }
  const auto major = reader.value<uint8_t>();
  reader.value<uint8_t>();
  const uint64_t length = major == 1 ? reader.value<uint16_t>() : reader.value<uint32_t>();
  const std::string_view header = reader.text(length);
  std::string_view type = value_of(header, "descr", path);
  if (!type.starts_with('\'')) return std::nullopt;  // a record
  type.remove_prefix(1);
  const auto dtype = to_dtype(type.substr(0, type.find('\'')));
  if (!dtype) return std::nullopt;
  TensorView view{std::move(name), *dtype, parse_shape(value_of(header, "shape", path), path)};
  if (!value_of(header, "fortran_order", path).starts_with("False") && view.shape.size() > 1) {
    throw FileError(path, str("array '", printable(view.name), "' is column-major"),
                    "save numpy.ascontiguousarray() of it");
  }
  uint64_t size = static_cast<uint64_t>(dtype_size(*dtype));
  for (const int64_t dimension : view.shape) {
    if (__builtin_mul_overflow(size, static_cast<uint64_t>(dimension), &size)) {
      fail_weights(path, "an array's size is beyond all bounds");
    }
  }
  view.bytes = reader.take(size);
  return view;
}

}  // namespace

NpzArrays read_npz(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  return {parse_npz({file->data(), file->size()}, path), file};
}

std::vector<TensorView> parse_npz(std::span<const std::byte> bytes, const std::string& path) {
  std::vector<TensorView> arrays;
  const auto add = [&](std::span<const std::byte> npy, std::string name) {
    auto view = parse_npy(npy, std::move(name), path);
    if (view) arrays.push_back(std::move(*view));
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kZipMagic)) {
    add(bytes, "array");
    return arrays;
  }
  for (const ZipEntry& entry : read_zip(bytes, path)) {
    if (!entry.name.ends_with(".npy")) continue;
    add(entry.bytes, std::string(entry.name.substr(0, entry.name.size() - 4)));
  }
  return arrays;
}

}  // namespace sequela
