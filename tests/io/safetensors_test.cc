#include "sequela/io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"
#include "tests/support/bad_inputs.h"
#include "tests/support/files.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

// Writes a file of this header and as many data bytes.
std::string file_with(const std::string& header, size_t num_data_bytes) {
  const std::string path = temporary_path("made.safetensors");
  const uint64_t length = header.size();
  std::string content(reinterpret_cast<const char*>(&length), sizeof(length));
  content += header + std::string(num_data_bytes, '\0');
  write_file(path, content);
  return path;
}

TEST(Safetensors, WritesTheSameBytesAsTheReference) {
  for (const char* name :
       {"model_main/weights", "model_main/forward_out", "model_main_allattn/grads"}) {
    const std::string path = reference_path(std::string("motor/") + name + ".safetensors");
    const SafetensorsFile file(path);
    ASSERT_FALSE(file.tensors().empty());
    const std::string copy = temporary_path("copy.safetensors");
    write_safetensors(copy, file.tensors(), file.metadata());
    EXPECT_EQ(read_file(copy), read_file(path)) << name;
  }
}

TEST(Safetensors, FindsTensorsByName) {
  const std::string path = temporary_path("two.safetensors");
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const std::vector<int64_t> ids = {7};
  write_safetensors(path, {{"a", DType::float32, {2, 3}, std::as_bytes(std::span(values))},
                           {"b", DType::int64, {}, std::as_bytes(std::span(ids))},
                           {"empty", DType::float16, {0, 4}, {}}});
  const SafetensorsFile file(path);
  EXPECT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.get("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file.get("a").size(), 6);
  EXPECT_EQ(std::memcmp(file.get("a").bytes.data(), values.data(), 24), 0);
  EXPECT_EQ(file.get("b").size(), 1);
  EXPECT_EQ(file.get("empty").size(), 0);
  EXPECT_EQ(file.find("c"), nullptr);
  EXPECT_THROW(file.get("c"), FileError);
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST(Safetensors, RefusesTheBrokenModels) {
  BadInputs inputs;
  for (const char* name : {"21_model_truncated_safetensors", "22_model_oversized_header",
                           "23_model_overlapping_offsets"}) {
    const std::string path = inputs.path(name) + "/model.safetensors";
    EXPECT_THROW(SafetensorsFile{path}, FileError) << name;
  }
  EXPECT_NO_THROW(SafetensorsFile{inputs.path("24_dict_truncated") + "/model.safetensors"});
}

TEST(Safetensors, RefusesHeadersThatDoNotHold) {
  const auto tensor = [](const char* shape, const char* offsets) {
    return std::string(R"({"dtype":"F32","shape":)") + shape + R"(,"data_offsets":)" + offsets +
           "}";
  };
  EXPECT_NO_THROW(SafetensorsFile(file_with(R"({"a":)" + tensor("[2]", "[0,8]") + "}", 8)));
  const std::vector<std::string> broken = {
      "",
      "[]",
      "{",
      "{}",
      R"({"a":1})",
      R"({"a":)" + tensor("[2]", "[0,4]") + "}",
      R"({"a":)" + tensor("[2]", "[8,0]") + "}",
      R"({"a":)" + tensor("[2]", "[0,8,8]") + "}",
      R"({"a":)" + tensor("[2]", "[0.0,8.0]") + "}",
      R"({"a":)" + tensor("[-2]", "[0,8]") + "}",
      R"({"a":)" + tensor("[4]", "[0,16]") + "}",
      R"({"a":)" + tensor("[1]", "[0,4]") + "}",
      R"({"a":)" + tensor("[1]", "[4,8]") + "}",
      R"({"a":)" + tensor("[4611686018427387904,4]", "[0,8]") + "}",
      R"({"a":)" + tensor("[18446744073709551615]", "[0,8]") + "}",
      R"({"a":)" + tensor("[2]", "[0,8]") + R"(,"a":)" + tensor("[2]", "[0,8]") + "}",
      R"({"a":)" + tensor("[2]", "[0,8]") + R"(,"b":)" + tensor("[1]", "[4,8]") + "}",
      R"({"a":)" + tensor("[[2]]", "[0,8]") + "}",
      R"({"__metadata__":{"x":1},"a":)" + tensor("[2]", "[0,8]") + "}",
      R"({"a":{"dtype":"Q5","shape":[8],"data_offsets":[0,8]}})",
      R"({"a":)" + std::string(100000, '[') + "}",
      "{\"\xff\":" + tensor("[2]", "[0,8]") + "}",
  };
  for (const std::string& header : broken) {
    EXPECT_THROW(SafetensorsFile(file_with(header, 8)), FileError) << header.substr(0, 80);
  }
  write_file(temporary_path("short"), "1234567");
  EXPECT_THROW(SafetensorsFile(temporary_path("short")), FileError);
}

}  // namespace
}  // namespace sequela
