#pragma once

#include <zlib.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace sequela {

template <class T>
struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<T> values;  // row-major

  int64_t size() const { return static_cast<int64_t>(values.size()); }
};

namespace npz_detail {

template <class T>
T load(const std::string& bytes, size_t offset) {
  T value;
  if (offset + sizeof(T) > bytes.size()) throw std::runtime_error("npz: truncated");
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string inflate_raw(const std::string& packed, size_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::runtime_error("npz: zlib");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("npz: cannot inflate");
  return out;
}

inline float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 31;
  const uint32_t mantissa = half & 1023;
  if (exponent == 0) {
    const float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

// The header of a .npy file: "'descr': '<i8', 'fortran_order': False, 'shape': (3, 4)".
struct Header {
  std::string dtype;  // without byte order: "i8", "f2", "b1", "M8[s]", "U7"
  std::vector<int64_t> shape;
  size_t data_offset = 0;
};

inline Header parse_header(const std::string& bytes) {
  if (bytes.rfind("\x93NUMPY", 0) != 0) throw std::runtime_error("not a .npy file");
  const bool is_wide = bytes[6] >= 2;
  const size_t length = is_wide ? load<uint32_t>(bytes, 8) : load<uint16_t>(bytes, 8);
  const size_t start = is_wide ? 12 : 10;
  const std::string text = bytes.substr(start, length);
  Header header{.data_offset = start + length};
  const size_t dtype = text.find('\'', text.find("'descr':") + 8) + 2;
  header.dtype = text.substr(dtype, text.find('\'', dtype) - dtype);
  if (text.find("'fortran_order': True") != std::string::npos) {
    throw std::runtime_error("npy: column-major arrays are not read");
  }
  size_t at = text.find('(', text.find("'shape':")) + 1;
  while (text[at] != ')') {
    size_t used = 0;
    header.shape.push_back(std::stoll(text.substr(at), &used));
    at = text.find_first_not_of(", L", at + used);
  }
  return header;
}

template <class From, class T>
void copy(const std::string& bytes, size_t offset, NpyArray<T>* array) {
  for (size_t i = 0; i < array->values.size(); ++i) {
    array->values[i] = static_cast<T>(load<From>(bytes, offset + i * sizeof(From)));
  }
}

}  // namespace npz_detail

// The content of a .npy file as T; every numeric type, bool and datetime64 (as int64) is converted.
template <class T>
NpyArray<T> parse_npy(const std::string& bytes) {
  static_assert(std::is_arithmetic_v<T>);
  const npz_detail::Header header = npz_detail::parse_header(bytes);
  NpyArray<T> array{.shape = header.shape};
  size_t size = 1;
  for (const int64_t length : header.shape) size *= static_cast<size_t>(length);
  array.values.resize(size);
  const std::string dtype = header.dtype.substr(0, 2);
  const size_t at = header.data_offset;
  if (dtype == "i8" || dtype == "M8" || dtype == "m8") {
    npz_detail::copy<int64_t>(bytes, at, &array);
  } else if (dtype == "i4") {
    npz_detail::copy<int32_t>(bytes, at, &array);
  } else if (dtype == "i2") {
    npz_detail::copy<int16_t>(bytes, at, &array);
  } else if (dtype == "i1") {
    npz_detail::copy<int8_t>(bytes, at, &array);
  } else if (dtype == "u8") {
    npz_detail::copy<uint64_t>(bytes, at, &array);
  } else if (dtype == "u4") {
    npz_detail::copy<uint32_t>(bytes, at, &array);
  } else if (dtype == "u2") {
    npz_detail::copy<uint16_t>(bytes, at, &array);
  } else if (dtype == "u1" || dtype == "b1") {
    npz_detail::copy<uint8_t>(bytes, at, &array);
  } else if (dtype == "f8") {
    npz_detail::copy<double>(bytes, at, &array);
  } else if (dtype == "f4") {
    npz_detail::copy<float>(bytes, at, &array);
  } else if (dtype == "f2") {
    for (size_t i = 0; i < size; ++i) {
      array.values[i] =
          static_cast<T>(npz_detail::half_to_float(npz_detail::load<uint16_t>(bytes, at + 2 * i)));
    }
  } else {
    throw std::runtime_error("npy: type " + header.dtype + " is not read");
  }
  return array;
}

template <class T>
NpyArray<T> read_npy(const std::string& path) {
  return parse_npy<T>(npz_detail::read_bytes(path));
}

// A .npz file of NumPy (stored or deflated), read whole. For trusted files of tests only.
class NpzFile {
 public:
  explicit NpzFile(const std::string& path) : path_(path) {
    using npz_detail::load;
    const std::string file = npz_detail::read_bytes(path);
    const size_t end = file.rfind("PK\x05\x06");
    if (end == std::string::npos) throw std::runtime_error(path + ": not a zip file");
    const int count = load<uint16_t>(file, end + 10);
    size_t at = load<uint32_t>(file, end + 16);
    for (int i = 0; i < count; ++i) {
      const size_t name_length = load<uint16_t>(file, at + 28);
      std::string name = file.substr(at + 46, name_length);
      if (name.ends_with(".npy")) name.resize(name.size() - 4);
      const size_t packed_size = load<uint32_t>(file, at + 20);
      const size_t size = load<uint32_t>(file, at + 24);
      const size_t local = load<uint32_t>(file, at + 42);
      const size_t start =
          local + 30 + load<uint16_t>(file, local + 26) + load<uint16_t>(file, local + 28);
      const std::string packed = file.substr(start, packed_size);
      const bool is_stored = load<uint16_t>(file, at + 10) == 0;
      members_[name] = is_stored ? packed : npz_detail::inflate_raw(packed, size);
      at += 46 + name_length + load<uint16_t>(file, at + 30) + load<uint16_t>(file, at + 32);
    }
  }

  bool contains(const std::string& name) const { return members_.count(name) > 0; }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : members_) names.push_back(name);
    return names;
  }

  template <class T>
  NpyArray<T> get(const std::string& name) const {
    const auto found = members_.find(name);
    if (found == members_.end()) throw std::runtime_error(path_ + ": no array '" + name + "'");
    return parse_npy<T>(found->second);
  }

 private:
  std::string path_;
  std::map<std::string, std::string> members_;
};

}  // namespace sequela
