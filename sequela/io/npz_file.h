#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/io/zip_writer.h"

namespace sequela {

enum class NpyType { float32, int64 };

// Writes an archive that numpy.load opens without pickle. Arrays are row-major and may come in
// pieces, so that they need not be in memory whole. The file appears when finish() returns.
class NpzWriter {
 public:
  explicit NpzWriter(const std::string& path) : zip_(path) {}

  // Starts an array; append() its values until they are all there.
  void begin_array(const std::string& name, NpyType type, const std::vector<int64_t>& shape);
  void append(std::span<const float> values);
  void append(std::span<const int64_t> values);

  // Texts as NumPy's unicode type, all as wide as the longest; bytes that are not UTF-8 become
  // U+FFFD.
  void add_texts(const std::string& name, const std::vector<std::string>& texts);
  void finish();

 private:
  void begin(const std::string& name, const std::string& dtype, const std::vector<int64_t>& shape,
             int64_t item_bytes);

  ZipWriter zip_;
  NpyType type_ = NpyType::float32;
};

}  // namespace sequela
