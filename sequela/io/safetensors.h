#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sequela/io/file.h"

namespace sequela {

// Element types of safetensors, in the order in which its own library sorts tensors (the last
// first).
enum class DType {
  boolean,
  uint8,
  int8,
  float8_e5m2,
  float8_e4m3,
  int16,
  uint16,
  float16,
  bfloat16,
  int32,
  uint32,
  float32,
  float64,
  int64,
  uint64,
};

int64_t dtype_size(DType dtype);      // bytes of one element
const char* dtype_name(DType dtype);  // "F32"

// A named array of bytes: row-major, little-endian elements. The bytes need not be aligned.
struct TensorView {
  std::string name;
  DType dtype = DType::float32;
  std::vector<int64_t> shape;  // empty for a scalar
  std::span<const std::byte> bytes;

  int64_t size() const;  // number of elements
};

// What a safetensors file holds; the tensors are in the file's order.
struct SafetensorsContent {
  std::vector<TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

// Checks and reads a safetensors file whose bytes are in memory; the tensors lie in them. `path`
// names the file in errors. Throws FileError as SafetensorsFile does.
SafetensorsContent parse_safetensors(std::span<const std::byte> bytes, const std::string& path);

// A memory-mapped .safetensors file. The constructor checks the whole header, as safetensors' own
// reader does: its length, every name, type, shape and offset; the tensors fill the file without
// hole or overlap. Throws FileError. Views live as long as this object.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return file_.path(); }
  const std::vector<TensorView>& tensors() const { return content_.tensors; }  // in file order
  const TensorView* find(const std::string& name) const;  // nullptr if there is none
  const TensorView& get(const std::string& name) const;   // FileError if there is none
  const std::map<std::string, std::string>& metadata() const { return content_.metadata; }

 private:
  MappedFile file_;
  SafetensorsContent content_;
  std::map<std::string, size_t> index_;
};

// Writes the tensors in the order of safetensors' own library (larger types first, then by name),
// so that equal content gives equal bytes. The file appears when complete. The views' names must
// differ.
void write_safetensors(const std::string& path, std::vector<TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace sequela
