#include "sequela/io/parquet.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/support/bad_inputs.h"
#include "tests/support/files.h"

namespace sequela {
namespace {

TEST(Parquet, ReadsEveryRowOfAFolder) {
  int64_t num_rows = 0;
  int64_t num_timed = 0;
  for (const std::string& path : list_parquet_files(reference_path("motor/g60/meds/data"))) {
    ParquetReader reader(path);
    const std::vector<int> columns = {reader.require_column("subject_id", {ColumnType::int64}),
                                      reader.require_column("time", {ColumnType::timestamp}),
                                      reader.require_column("code", {ColumnType::string})};
    int64_t rows = 0;
    reader.read(columns, [&](const RowBatch& batch) {
      EXPECT_EQ(batch.first_row, rows);
      rows += batch.num_rows;
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        num_timed += batch.columns[1].is_valid(i);
        ASSERT_FALSE(batch.columns[2].text(i).empty());
      }
    });
    EXPECT_EQ(rows, reader.num_rows());
    num_rows += rows;
  }
  EXPECT_GT(num_rows, 0);
  EXPECT_GT(num_timed, num_rows / 2);
}

TEST(Parquet, WritesAndReadsBackEveryType) {
  const std::string path = temporary_path("types.parquet");
  write_parquet(
      path, {{.name = "i", .values = std::vector<int64_t>{1, -2, 3}, .valid = {1, 0, 1}},
             {.name = "n", .values = std::vector<int32_t>{4, 5, 6}},
             {.name = "t", .values = std::vector<int64_t>{-1, 0, 7}, .is_timestamp = true},
             {.name = "f", .values = std::vector<float>{0.5f, 1, 2}},
             {.name = "d", .values = std::vector<double>{0.25, 1, 2}},
             {.name = "b", .values = std::vector<uint8_t>{1, 0, 1}},
             {.name = "s", .values = std::vector<std::string>{"x", "", "x"}, .valid = {1, 0, 1}},
             {.name = "l", .values = std::vector<std::vector<std::string>>{{"p", "q"}, {}, {"r"}}},
             {.name = "v", .values = std::vector<float>{1, 2, 3, 4, 5, 6}, .fixed_list_size = 2}});
  ParquetReader reader(path);
  ASSERT_EQ(reader.columns().size(), 9u);
  EXPECT_EQ(reader.columns()[2].type, ColumnType::timestamp);
  EXPECT_EQ(reader.columns()[7].type, ColumnType::string_list);
  EXPECT_EQ(reader.columns()[8].type, ColumnType::float_list);
  int64_t num_rows = 0;
  reader.read({8, 0, 1, 2, 3, 4, 5, 6, 7, 0}, [&](const RowBatch& batch) {
    num_rows += batch.num_rows;
    const auto& columns = batch.columns;
    EXPECT_EQ(columns[0].floats[columns[0].list_offsets[1]], 3.0f);
    EXPECT_EQ(columns[1].int64s[2], 3);
    EXPECT_FALSE(columns[1].is_valid(1));
    EXPECT_EQ(columns[2].int64s[1], 5);
    EXPECT_EQ(columns[3].int64s[0], -1);
    EXPECT_EQ(columns[4].floats[0], 0.5f);
    EXPECT_EQ(columns[5].doubles[0], 0.25);
    EXPECT_EQ(columns[6].booleans[1], 0);
    EXPECT_EQ(columns[7].text(2), "x");
    EXPECT_FALSE(columns[7].is_valid(1));
    EXPECT_EQ(columns[8].list_offsets[3], 3);
    EXPECT_EQ(columns[8].text(columns[8].list_offsets[2]), "r");
    EXPECT_EQ(columns[9].int64s[0], 1);
  });
  EXPECT_EQ(num_rows, 3);
}

TEST(Parquet, NamesTheColumnAndTypeThatIsWrong) {
  const std::string path = temporary_path("wrong.parquet");
  write_parquet(path, {{.name = "time", .values = std::vector<std::string>{"2020"}}});
  const ParquetReader reader(path);
  try {
    reader.require_column("time", {ColumnType::timestamp});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().column, "time");
    EXPECT_NE(std::string(error.what()).find("a timestamp"), std::string::npos);
  }
  EXPECT_THROW(reader.require_column("code", {ColumnType::string}), DataError);
}

TEST(Parquet, AnUnfinishedFileLeavesNothing) {
  const std::string path = temporary_path("unfinished.parquet");
  {
    ParquetWriter writer(path);
    writer.write({{.name = "x", .values = std::vector<int64_t>{1}}});
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

void read_everything(const std::string& path) {
  ParquetReader reader(path);
  std::vector<int> columns;
  for (size_t i = 0; i < reader.columns().size(); ++i) {
    if (reader.columns()[i].type != ColumnType::other) columns.push_back(static_cast<int>(i));
  }
  size_t num_bytes = 0;
  reader.read(columns, [&](const RowBatch& batch) {
    for (const ColumnSlice& column : batch.columns) {
      if (column.indices == nullptr || column.list_offsets != nullptr) continue;
      for (int64_t i = 0; i < batch.num_rows; ++i) num_bytes += column.text(i).size();
    }
  });
}

TEST(Parquet, BrokenFilesAreDataErrors) {
  EXPECT_THROW(read_everything("no/such/file.parquet"), DataError);
  EXPECT_THROW(list_parquet_files("no/such/folder"), DataError);
  BadInputs inputs;
  const std::string folder = inputs.path("01_meds_truncated_parquet");
  int num_failed = 0;
  for (const std::string& path : list_parquet_files(folder)) {
    try {
      read_everything(path);
    } catch (const DataError& error) {
      ++num_failed;
      EXPECT_EQ(error.where().path, path);
      EXPECT_NE(std::string(error.what()).find("Fix: "), std::string::npos) << error.what();
    }
  }
  EXPECT_GE(num_failed, 1);
}

// Every byte of a small file is changed in turn: it may be read or refused, never crash.
TEST(Parquet, ChangedBytesNeverCrash) {
  const std::string path = temporary_path("good.parquet");
  write_parquet(path, {{.name = "i", .values = std::vector<int64_t>{1, 2, 3}, .valid = {1, 0, 1}},
                       {.name = "s", .values = std::vector<std::string>{"aa", "b", "aa"}}});
  const std::string good = read_file(path);
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int change : {0x01, 0x40, 0xff}) {
      set_byte(path, i, static_cast<char>(good[i] ^ change));
      try {
        read_everything(path);
      } catch (const Error&) {
      }
    }
    set_byte(path, i, good[i]);
  }
}

}  // namespace
}  // namespace sequela
