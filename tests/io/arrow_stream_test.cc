#include "sequela/io/arrow_stream.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/support/files.h"

namespace sequela {
namespace {

const std::vector<LeafField> kFields = {
    {.path = "num_subjects", .type = LeafType::int64, .is_list = false},
    {.path = "transformer.ages", .type = LeafType::float32},
    {.path = "transformer.time_data", .type = LeafType::float16, .inner_size = 5},
    {.path = "transformer.valid_tokens", .type = LeafType::boolean},
    {.path = "task.time_sparse.indices", .type = LeafType::int32},
    {.path = "needs_exact", .type = LeafType::boolean, .is_list = false}};

std::string temporary_folder() {
  const std::string folder = temporary_path("stream");
  std::filesystem::create_directories(folder);
  return folder;
}

// Row r has r tokens and 2 r task entries.
struct Sample {
  explicit Sample(int64_t row)
      : num_subjects(row),
        ages(row),
        time_data(5 * row),
        valid(row),
        indices(2 * row),
        needs_exact(row % 2) {
    std::iota(ages.begin(), ages.end(), static_cast<float>(row));
    std::iota(time_data.begin(), time_data.end(), static_cast<uint16_t>(row));
    std::iota(indices.begin(), indices.end(), 10 * static_cast<int32_t>(row));
    for (int64_t i = 0; i < row; ++i) valid[i] = i % 3 == 0;
  }

  std::vector<LeafBytes> leaves() const {
    return {std::as_bytes(std::span(&num_subjects, 1)), std::as_bytes(std::span(ages)),
            std::as_bytes(std::span(time_data)),        std::as_bytes(std::span(valid)),
            std::as_bytes(std::span(indices)),          std::as_bytes(std::span(&needs_exact, 1))};
  }

  int64_t num_subjects;
  std::vector<float> ages;
  std::vector<uint16_t> time_data;
  std::vector<uint8_t> valid;
  std::vector<int32_t> indices;
  uint8_t needs_exact;
};

StreamFile write_sample(const std::string& path, int64_t num_rows) {
  ArrowStreamWriter writer(path, kFields, 4);
  for (int64_t row = 0; row < num_rows; ++row) writer.write_row(Sample(row).leaves());
  return writer.finish();
}

TEST(ArrowStream, RowsComeBack) {
  const std::string path = temporary_folder() + "/data-00000-of-00001.arrow";
  const StreamFile file = write_sample(path, 11);
  EXPECT_EQ(file.name, "data-00000-of-00001.arrow");
  EXPECT_EQ(file.num_rows, 11);
  EXPECT_EQ(file.num_bytes, static_cast<int64_t>(std::filesystem::file_size(path)));
  const ArrowStreamReader reader(path, kFields);
  ASSERT_EQ(reader.num_rows(), 11);
  StreamRow row;
  for (const int64_t index : {10, 0, 3, 4, 7}) {
    reader.read_row(index, &row);
    const Sample sample(index);
    const std::vector<LeafBytes> expected = sample.leaves();
    for (size_t leaf = 0; leaf < kFields.size(); ++leaf) {
      ASSERT_EQ(row.leaves[leaf].size(), expected[leaf].size()) << kFields[leaf].path;
      EXPECT_TRUE(
          std::equal(row.leaves[leaf].begin(), row.leaves[leaf].end(), expected[leaf].begin()));
    }
  }
  EXPECT_EQ(ArrowStreamReader::leaf_paths(path)[4], "task.time_sparse.indices");
}

TEST(ArrowStream, AFolderListsItsFiles) {
  const std::string folder = temporary_folder();
  const StreamFile file = write_sample(folder + "/data-00000-of-00001.arrow", 3);
  write_dataset_info(folder, kFields, {file});
  EXPECT_EQ(list_stream_files(folder), std::vector<std::string>{folder + "/" + file.name});
  write_file(folder + "/state.json", R"({"_data_files": [{"filename": "../x"}]})");
  EXPECT_THROW(list_stream_files(folder), FileError);
  write_file(folder + "/state.json", "{}");
  EXPECT_THROW(list_stream_files(folder), FileError);
}

TEST(ArrowStream, AnEmptyFileIsValid) {
  const std::string path = temporary_folder() + "/empty.arrow";
  EXPECT_EQ(write_sample(path, 0).num_rows, 0);
  EXPECT_EQ(ArrowStreamReader(path, kFields).num_rows(), 0);
}

TEST(ArrowStream, EqualRowsGiveEqualBytes) {
  const std::string folder = temporary_folder();
  const std::string digest = write_sample(folder + "/a", 5).digest;
  EXPECT_EQ(digest, write_sample(folder + "/b", 5).digest);
  EXPECT_NE(digest, write_sample(folder + "/c", 6).digest);
  EXPECT_EQ(read_file(folder + "/a"), read_file(folder + "/b"));
}

TEST(ArrowStream, WrongFieldsAreRefused) {
  const std::string path = temporary_folder() + "/x.arrow";
  write_sample(path, 3);
  const auto open = [&](LeafField field) { ArrowStreamReader reader(path, {field}); };
  EXPECT_THROW(open({.path = "transformer.age"}), FileError);
  EXPECT_THROW(open({.path = "transformer"}), FileError);
  EXPECT_THROW(open({.path = "num_subjects.x"}), FileError);
  EXPECT_THROW(open({.path = "transformer.ages", .type = LeafType::float16}), FileError);
  StreamRow row;
  const ArrowStreamReader reader(path, {{"transformer.time_data", LeafType::float16, true, 4}});
  EXPECT_THROW(reader.read_row(2, &row), FileError);
  ArrowStreamWriter writer(temporary_folder() + "/y.arrow", kFields);
  EXPECT_THROW(writer.write_row({}), std::invalid_argument);
}

TEST(ArrowStream, ChangedBytesNeverCrash) {
  const std::string folder = temporary_folder();
  const std::string path = folder + "/broken.arrow";
  write_sample(path, 6);
  const std::string good = read_file(path);
  const auto try_read = [](const std::string& file) {
    try {
      const ArrowStreamReader reader(file, kFields);
      StreamRow row;
      size_t sum = 0;
      for (int64_t i = 0; i < reader.num_rows(); ++i) {
        reader.read_row(i, &row);
        for (const LeafBytes leaf : row.leaves) {
          for (const std::byte byte : leaf) sum += static_cast<size_t>(byte);
        }
      }
      EXPECT_GE(sum, 0u);
    } catch (const Error&) {
    }
  };
  for (size_t i = 0; i < good.size(); ++i) {
    set_byte(path, i, static_cast<char>(good[i] ^ (1 << (i % 8))));
    try_read(path);
    set_byte(path, i, good[i]);
  }
  for (size_t size = 0; size < good.size(); size += 101) {
    const std::string cut = folder + "/cut" + std::to_string(size);
    std::ofstream(cut, std::ios::binary) << good.substr(0, size);
    try_read(cut);
    std::filesystem::remove(cut);
  }
}

}  // namespace
}  // namespace sequela
