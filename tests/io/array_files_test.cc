#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/io/npz_file.h"
#include "sequela/io/torch_file.h"
#include "sequela/io/zip_writer.h"
#include "tests/support/files.h"
#include "tests/support/npz.h"

namespace sequela {
namespace {

TEST(NpzFile, ArraysComeBack) {
  const std::string path = temporary_path("a.npz");
  NpzWriter writer(path);
  writer.begin_array("features", NpyType::float32, {2, 3});
  writer.append(std::vector<float>{1, 2, 3, 4});
  writer.append(std::vector<float>{5, 6});
  writer.begin_array("subject_ids", NpyType::int64, {2});
  writer.append(std::vector<int64_t>{7, -8});
  writer.begin_array("none", NpyType::float32, {0, 4});
  writer.add_texts("names", {"a", "", "\xc3\xa4\xf0\x9f\x98\x80\xff"});
  writer.finish();
  const NpzFile file(path);
  EXPECT_EQ(file.get<float>("features").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file.get<float>("features").values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(file.get<int64_t>("subject_ids").values, (std::vector<int64_t>{7, -8}));
  EXPECT_EQ(file.get<float>("none").shape, (std::vector<int64_t>{0, 4}));
  EXPECT_EQ(file.names().size(), 4u);
}

TEST(NpzFile, WrongSizesAreRefusedAndLeaveNothing) {
  const std::string path = temporary_path("wrong.npz");
  {
    NpzWriter writer(path);
    writer.begin_array("x", NpyType::float32, {2});
    EXPECT_THROW(writer.append(std::vector<float>{1, 2, 3}), std::invalid_argument);
    EXPECT_THROW(writer.append(std::vector<int64_t>{1}), std::invalid_argument);
    writer.append(std::vector<float>{1});
    EXPECT_THROW(writer.finish(), std::invalid_argument);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TorchFile, TensorsStartAtMultiplesOf64) {
  const std::string path = temporary_path("a.pt");
  TorchFileWriter writer(path, {{"embeddings", std::vector<int64_t>{2, 2}},
                                {"labels", std::vector<std::string>{"0", "1"}},
                                {"empty", std::vector<int64_t>{0, 2}},
                                {"more", std::vector<int64_t>{1}}});
  const std::vector<float> values = {1.5, 2, 3, 4, 5.25};
  writer.append(std::span(values).first(3));
  writer.append(std::span(values).subspan(3));
  writer.finish();
  const std::string content = read_file(path);
  const std::string bytes(reinterpret_cast<const char*>(values.data()), 16);
  ASSERT_NE(content.find(bytes), std::string::npos);
  EXPECT_EQ(content.find(bytes) % 64, 0u);
}

TEST(TorchFile, MissingOrExtraValuesAreRefused) {
  TorchFileWriter writer(temporary_path("b.pt"), {{"x", std::vector<int64_t>{2}}});
  writer.append(std::vector<float>{1});
  EXPECT_THROW(writer.finish(), std::invalid_argument);
  writer.append(std::vector<float>{2});
  EXPECT_THROW(writer.append(std::vector<float>{3}), std::invalid_argument);
  EXPECT_THROW(TorchFileWriter(temporary_path("c.pt"), {{"x", std::vector<int64_t>{-1}}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace sequela
