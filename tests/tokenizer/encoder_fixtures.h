#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/io/safetensors.h"
#include "tests/support/reference.h"

namespace sequela {

inline std::string bert_path(const std::string& relative) {
  return reference_path("bert/" + relative);
}

inline Json read_json_fixture(const std::string& relative) {
  return parse_json(read_file(bert_path(relative)), relative);
}

// The values of a fixture's tensor, whatever its integer or float type.
template <class T>
std::vector<T> tensor_values(const SafetensorsFile& file, const std::string& name) {
  const TensorView& tensor = file.get(name);
  std::vector<T> values(static_cast<size_t>(tensor.size()));
  const auto convert = [&](auto example) {
    using Stored = decltype(example);
    for (size_t i = 0; i < values.size(); ++i) {
      Stored stored;
      std::memcpy(&stored, tensor.bytes.data() + i * sizeof(Stored), sizeof(Stored));
      values[i] = static_cast<T>(stored);
    }
  };
  if (tensor.dtype == DType::int64)
    convert(int64_t{});
  else if (tensor.dtype == DType::int32)
    convert(int32_t{});
  else if (tensor.dtype == DType::float64)
    convert(double{});
  else
    convert(float{});
  return values;
}

}  // namespace sequela
