#pragma once

#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sequela/io/file.h"
#include "sequela/io/safetensors.h"
#include "sequela/io/zip_writer.h"
#include "tests/support/test_folder.h"

namespace sequela {

// Files of torch.save, put together by hand from pickle instructions.

inline std::span<const std::byte> to_bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

inline std::string integer_code(int64_t value) {
  return std::string("\x8a\x08") +
         std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

inline std::string text_code(const std::string& text) {
  return std::string("\x8c") + static_cast<char>(text.size()) + text;
}

struct TensorSpec {
  std::string name = "a";
  std::string storage_type = "FloatStorage";
  std::string key = "0";
  int64_t storage_size = 6;
  int64_t offset = 0;
  std::vector<int64_t> shape = {2, 3};
  std::vector<int64_t> strides = {3, 1};
};

inline std::string tensor_code(const TensorSpec& spec) {
  std::string code = text_code(spec.name) + "ctorch._utils\n_rebuild_tensor_v2\n((";
  code += text_code("storage") + "ctorch\n" + spec.storage_type + "\n" + text_code(spec.key);
  code +=
      text_code("cpu") + integer_code(spec.storage_size) + "tQ" + integer_code(spec.offset) + "(";
  for (const int64_t length : spec.shape) code += integer_code(length);
  code += "t(";
  for (const int64_t stride : spec.strides) code += integer_code(stride);
  return code + "t\x89" + "ccollections\nOrderedDict\n)RtR";
}

inline std::string dict_pickle(const std::string& entries) {
  return std::string("\x80\x02}(") + entries + "u.";
}

inline std::string make_zip(const TestFolder& folder,
                            const std::vector<std::pair<std::string, std::string>>& files) {
  ZipWriter zip(folder / "made.zip");
  for (const auto& [name, content] : files) {
    zip.begin_entry(name, static_cast<int64_t>(content.size()), 64);
    zip.write(content.data(), content.size());
  }
  zip.finish();
  return read_file(folder / "made.zip");
}

inline std::string six_floats() {
  const float values[] = {1, 2, 3, 4, 5, 6};
  return {reinterpret_cast<const char*>(values), sizeof(values)};
}

inline std::string make_legacy(const std::string& pickle, const std::string& key, int64_t size,
                               const std::string& data) {
  std::string text("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  text += "\x80\x02M\xe9\x03.";
  text += "\x80\x02}" + text_code("little_endian") + "\x88s.";
  text += pickle + "\x80\x02]" + text_code(key) + "a.";
  text.append(reinterpret_cast<const char*>(&size), sizeof(size));
  return text + data;
}

inline std::vector<float> floats_of(const TensorView& tensor) {
  std::vector<float> values(tensor.size());
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

}  // namespace sequela
