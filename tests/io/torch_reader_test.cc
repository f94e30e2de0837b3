#include "sequela/io/weights/torch_reader.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/io/torch_file.h"
#include "sequela/io/weights/weight_file.h"
#include "tests/io/torch_programs.h"

namespace sequela {
namespace {

TorchTensors read_spec(const TensorSpec& spec) {
  static std::vector<std::string> kept;  // the views' bytes
  const TestFolder folder;
  kept.push_back(make_zip(
      folder, {{"x/data.pkl", dict_pickle(tensor_code(spec))}, {"x/data/0", six_floats()}}));
  return read_torch_zip(to_bytes(kept.back()), "test.bin");
}

TEST(TorchReader, ViewsBecomeContiguous) {
  EXPECT_EQ(floats_of(read_spec({}).tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const TorchTensors turned = read_spec({.shape = {3, 2}, .strides = {1, 3}});
  EXPECT_EQ(floats_of(turned.tensors[0]), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  const TorchTensors part = read_spec({.offset = 1, .shape = {2, 1, 2}, .strides = {3, 9, 1}});
  EXPECT_EQ(floats_of(part.tensors[0]), (std::vector<float>{2, 3, 5, 6}));
  const TorchTensors every_second = read_spec({.offset = 1, .shape = {3}, .strides = {2}});
  EXPECT_EQ(floats_of(every_second.tensors[0]), (std::vector<float>{2, 4, 6}));
  const TorchTensors scalar = read_spec({.offset = 5, .shape = {}, .strides = {}});
  EXPECT_EQ(floats_of(scalar.tensors[0]), (std::vector<float>{6}));
  const TorchTensors expanded = read_spec({.shape = {2, 2}, .strides = {0, 1}});
  EXPECT_EQ(floats_of(expanded.tensors[0]), (std::vector<float>{1, 2, 1, 2}));
  EXPECT_EQ(read_spec({.offset = 99, .shape = {0, 3}}).tensors[0].size(), 0);
}

TEST(TorchReader, TensorsStayInTheirStorage) {
  const int64_t huge = int64_t{1} << 62;
  for (const TensorSpec& spec : {
           TensorSpec{.storage_size = 7},
           TensorSpec{.storage_size = -1},
           TensorSpec{.storage_size = huge},
           TensorSpec{.storage_size = 5},
           TensorSpec{.offset = 1},
           TensorSpec{.offset = -1},
           TensorSpec{.offset = INT64_MAX},
           TensorSpec{.shape = {3, 3}},
           TensorSpec{.shape = {2, -3}},
           TensorSpec{.shape = {huge, huge}, .strides = {0, 0}},
           TensorSpec{.shape = {huge, 1}, .strides = {0, 1}},
           TensorSpec{.shape = {1000000}, .strides = {0}},
           TensorSpec{.strides = {-3, 1}},
           TensorSpec{.strides = {INT64_MAX, 1}},
           TensorSpec{.strides = {4, 1}},
           TensorSpec{.strides = {3}},
           TensorSpec{.shape = std::vector<int64_t>(1000, 1),
           .strides = std::vector<int64_t>(1000, 1)},
           TensorSpec{.storage_type = "DoubleStorage"},
           TensorSpec{.storage_type = "ComplexFloatStorage"},
           TensorSpec{.key = "1"},
           TensorSpec{.key = "../data.pkl"},
           TensorSpec{.key = std::string(100, '0')},
       }) {
    EXPECT_THROW(read_spec(spec), FileError);
  }
}

TEST(TorchReader, FindsTheWeightsAmongDicts) {
  const TestFolder folder;
  const auto names_of = [&](const std::string& entries) {
    const std::string zip =
        make_zip(folder, {{"x/data.pkl", dict_pickle(entries)}, {"x/data/0", six_floats()}});
    std::string names;
    for (const TensorView& tensor : read_torch_zip(to_bytes(zip), "test.bin").tensors) {
      names += tensor.name + " ";
    }
    return names;
  };
  const std::string a = std::string("}(") + tensor_code({.name = "a"}) + "u";
  const std::string b = std::string("}(") + tensor_code({.name = "b"}) + "u";
  EXPECT_EQ(names_of(text_code("optimizer") + a + text_code("state_dict") + b), "b ");
  EXPECT_EQ(names_of(text_code("epoch") + "K\x03" + text_code("net") + a), "a ");
  EXPECT_EQ(names_of(text_code("model") + "}" + text_code("state_dict") + a + "s"), "a ");
  EXPECT_THROW(names_of(text_code("x") + a + text_code("y") + b), FileError);
  EXPECT_THROW(names_of(text_code("epoch") + "K\x03"), FileError);
  EXPECT_THROW(names_of(tensor_code({}) + tensor_code({})), FileError);
  std::string deep = a;
  for (int i = 0; i < 50; ++i) deep = std::string("}") + text_code("model") + deep + "s";
  EXPECT_EQ(names_of(text_code("model") + deep), "a ");
}

TEST(TorchReader, TheOlderFormReadsAndRefuses) {
  const std::string pickle = dict_pickle(tensor_code({}));
  const std::string good = make_legacy(pickle, "0", 6, six_floats());
  const TorchTensors content = read_torch_legacy(to_bytes(good), "test.bin");
  EXPECT_EQ(floats_of(content.tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  for (const std::string& bad :
       {make_legacy(pickle, "1", 6, six_floats()), make_legacy(pickle, "0", 7, six_floats()),
        make_legacy(pickle, "0", -6, six_floats()), make_legacy(pickle, "0", 6, "short"),
        make_legacy(dict_pickle(tensor_code({.storage_size = int64_t{1} << 61})), "0",
                    int64_t{1} << 61, six_floats()),
        make_legacy(dict_pickle(tensor_code({}) + tensor_code({.name = "b", .storage_size = 5})),
                    "0", 6, six_floats())}) {
    EXPECT_THROW(read_torch_legacy(to_bytes(bad), "test.bin"), FileError);
  }
}

TEST(TorchReader, AWrittenFileIsReadInPlace) {
  const TestFolder folder;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  TorchFileWriter writer(folder / "pytorch_model.bin", {{"w", std::vector<int64_t>{2, 3}}});
  writer.append(values);
  writer.finish();
  const WeightFile file = open_weight_folder(folder.path());
  EXPECT_EQ(file.format(), WeightFormat::torch_zip);
  EXPECT_EQ(floats_of(file.get("w")), values);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.get("w").bytes.data()) % 64, 0u);
}

}  // namespace
}  // namespace sequela
