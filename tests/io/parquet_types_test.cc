// Columns of the kinds that other writers make, and that ParquetWriter does not.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"
#include "tests/io/parquet_support.h"
#include "tests/support/bad_inputs.h"

namespace sequela {
namespace {

using Integers = std::vector<std::optional<int64_t>>;

Integers integers_of(const std::shared_ptr<arrow::Array>& array,
                     ColumnType type = ColumnType::int64) {
  Integers values;
  each_row(write_column(array), type, [&](const ColumnSlice& slice, int64_t i) {
    values.push_back(slice.is_valid(i) ? std::optional(slice.int64s[i]) : std::nullopt);
  });
  return values;
}

std::vector<std::optional<std::string>> texts_of(const std::shared_ptr<arrow::Array>& array,
                                                 const WriteOptions& options = {}) {
  std::vector<std::optional<std::string>> values;
  each_row(write_column(array, options), ColumnType::string,
           [&](const ColumnSlice& slice, int64_t i) {
             values.push_back(slice.is_valid(i) ? std::optional(std::string(slice.text(i)))
                                                : std::nullopt);
           });
  return values;
}

TEST(ParquetTypes, TimesOfEveryUnitAreFlooredToMicroseconds) {
  const auto time = [](auto array) { return integers_of(array, ColumnType::timestamp); };
  using Unit = arrow::TimeUnit;
  EXPECT_EQ(time(times(Unit::NANO, "", {-1, 999, {}, -1001})), (Integers{-1, 0, {}, -2}));
  EXPECT_EQ(time(times(Unit::MICRO, "UTC", {-1, {}, 5})), (Integers{-1, {}, 5}));
  EXPECT_EQ(time(times(Unit::MILLI, "Europe/Paris", {-1, 2})), (Integers{-1000, 2000}));
  EXPECT_EQ(time(times(Unit::SECOND, "", {-1, 2, {}})), (Integers{-1'000'000, 2'000'000, {}}));
  EXPECT_EQ(time(times(Unit::MILLI, "", {INT64_MAX, INT64_MIN})), (Integers{INT64_MAX, INT64_MIN}));
}

TEST(ParquetTypes, IntegersOfEveryWidth) {
  EXPECT_EQ(integers_of(build(arrow::Int8Builder(), std::vector<std::optional<int8_t>>{-1, {}, 7})),
            (Integers{-1, {}, 7}));
  EXPECT_EQ(
      integers_of(build(arrow::UInt32Builder(), std::vector<std::optional<uint32_t>>{4000000000u})),
      (Integers{4000000000}));
  EXPECT_EQ(integers_of(build(arrow::Date32Builder(), std::vector<std::optional<int32_t>>{-1, 1})),
            (Integers{-1, 1}));
  EXPECT_EQ(
      integers_of(build(arrow::Date64Builder(), std::vector<std::optional<int64_t>>{-86400000})),
      (Integers{-1}));
  EXPECT_THROW(
      integers_of(build(arrow::UInt64Builder(), std::vector<std::optional<uint64_t>>{UINT64_MAX})),
      DataError);
}

TEST(ParquetTypes, DecimalsAndHalfFloats) {
  const auto decimals =
      build(arrow::Decimal128Builder(arrow::decimal128(10, 2)),
            std::vector<std::optional<arrow::Decimal128>>{arrow::Decimal128(-150), {}});
  std::vector<double> values;
  each_row(write_column(decimals), ColumnType::float64,
           [&](const ColumnSlice& slice, int64_t i) { values.push_back(slice.doubles[i]); });
  EXPECT_EQ(values[0], -1.5);
  const auto halves =
      build(arrow::HalfFloatBuilder(), std::vector<std::optional<uint16_t>>{0x3c00, 0xc000});
  std::vector<float> floats;
  each_row(write_column(halves), ColumnType::float32,
           [&](const ColumnSlice& slice, int64_t i) { floats.push_back(slice.floats[i]); });
  EXPECT_EQ(floats, (std::vector<float>{1, -2}));
}

TEST(ParquetTypes, TextsOfEveryKind) {
  const std::vector<std::optional<std::string>> values = {"b", {}, "a", "", "b", "\xff\xfe"};
  const WriteOptions plain{.use_dictionary = false};
  const WriteOptions small_groups{.row_group_rows = 2};
  const auto views = [&](auto&& builder) {
    for (const auto& value : values) {
      EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
    }
    return builder.Finish().ValueOrDie();
  };
  for (const WriteOptions& options : {WriteOptions{}, plain, small_groups}) {
    EXPECT_EQ(texts_of(texts(values), options), values);
    EXPECT_EQ(texts_of(views(arrow::LargeStringBuilder()), options), values);
    EXPECT_EQ(texts_of(views(arrow::StringViewBuilder()), options), values);
    EXPECT_EQ(texts_of(views(arrow::BinaryBuilder()), options), values);
    EXPECT_EQ(texts_of(views(arrow::LargeBinaryBuilder()), options), values);
    EXPECT_EQ(texts_of(views(arrow::StringDictionaryBuilder()), options), values);
    EXPECT_EQ(texts_of(views(arrow::StringDictionary32Builder()), options), values);
  }
}

TEST(ParquetTypes, ManyTextsFallBackToPlainPages) {
  std::vector<std::optional<std::string>> values;
  for (int i = 0; i < 50'000; ++i)
    values.push_back(i % 7 == 0 ? "same" : "text " + std::to_string(i));
  EXPECT_EQ(texts_of(texts(values), {.dictionary_page_bytes = 10'000}), values);
}

TEST(ParquetTypes, ListsWithNulls) {
  auto items = std::make_shared<arrow::LargeStringBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), items);
  ASSERT_TRUE(lists.Append().ok() && items->Append("a").ok() && items->AppendNull().ok());
  ASSERT_TRUE(lists.AppendNull().ok() && lists.Append().ok() && items->Append("b").ok());
  std::vector<std::vector<std::string>> rows;
  each_row(write_column(lists.Finish().ValueOrDie()), ColumnType::string_list,
           [&](const ColumnSlice& slice, int64_t i) {
             EXPECT_EQ(slice.is_valid(i), i != 1);
             rows.emplace_back();
             for (int64_t k = slice.list_offsets[i]; k < slice.list_offsets[i + 1]; ++k) {
               rows.back().emplace_back(slice.text(k));
             }
           });
  EXPECT_EQ(rows, (std::vector<std::vector<std::string>>{{"a", ""}, {}, {"b"}}));
}

TEST(ParquetTypes, FloatListsOfEveryWidth) {
  auto items = std::make_shared<arrow::DoubleBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), items);
  ASSERT_TRUE(lists.Append().ok() && items->Append(1.5).ok() && items->AppendNull().ok());
  ASSERT_TRUE(lists.Append().ok() && lists.Append().ok() && items->Append(2).ok());
  std::vector<float> values;
  each_row(write_column(lists.Finish().ValueOrDie()), ColumnType::float_list,
           [&](const ColumnSlice& slice, int64_t i) {
             for (int64_t k = slice.list_offsets[i]; k < slice.list_offsets[i + 1]; ++k) {
               values.push_back(slice.floats[k]);
             }
           });
  ASSERT_EQ(values.size(), 3u);
  EXPECT_EQ(values[0], 1.5f);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], 2.0f);
}

template <class Builder>
std::vector<int64_t> integer_list_items() {
  auto items = std::make_shared<Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), items);
  EXPECT_TRUE(lists.Append().ok() && items->Append(-1).ok() && items->AppendNull().ok());
  EXPECT_TRUE(lists.AppendNull().ok() && lists.Append().ok() && items->Append(2).ok());
  std::vector<int64_t> values;
  each_row(write_column(lists.Finish().ValueOrDie()), ColumnType::int64_list,
           [&](const ColumnSlice& slice, int64_t i) {
             for (int64_t k = slice.list_offsets[i]; k < slice.list_offsets[i + 1]; ++k) {
               values.push_back(slice.int64s[k]);
             }
           });
  return values;
}

TEST(ParquetTypes, IntegerLists) {
  const std::vector<int64_t> expected = {-1, INT64_MIN, 2};
  EXPECT_EQ(integer_list_items<arrow::Int64Builder>(), expected);
  EXPECT_EQ(integer_list_items<arrow::Int16Builder>(), expected);
}

TEST(ParquetTypes, LongRowGroupsComeInSeveralRuns) {
  std::vector<std::optional<int64_t>> values(2'500'000);
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % 5 != 0) values[i] = static_cast<int64_t>(i * i);
  }
  ParquetReader reader(
      write_column(build(arrow::Int64Builder(), values), {.row_group_rows = 1 << 30}));
  int num_runs = 0;
  int64_t row = 0;
  reader.read_row_group(0, {0}, [&](const RowBatch& batch) {
    ++num_runs;
    EXPECT_EQ(batch.first_row, row);
    for (int64_t i = 0; i < batch.num_rows; ++i, ++row) {
      ASSERT_EQ(batch.columns[0].is_valid(i), values[row].has_value());
      ASSERT_EQ(values[row] ? batch.columns[0].int64s[i] : 0, values[row].value_or(0));
    }
  });
  EXPECT_EQ(row, reader.num_rows());
  EXPECT_GT(num_runs, 1);
}

TEST(ParquetTypes, WrongTypesAreRefused) {
  BadInputs inputs;
  for (const std::string& path : list_parquet_files(inputs.path("02_meds_wrong_types") + "/data")) {
    const ParquetReader reader(path);
    EXPECT_THROW(reader.require_column("subject_id", {ColumnType::int64}), DataError);
    EXPECT_THROW(reader.require_column("time", {ColumnType::timestamp}), DataError);
    EXPECT_THROW(reader.require_column("numeric_value", {ColumnType::float32}), DataError);
  }
}

TEST(ParquetTypes, OddTextsAreCarried) {
  BadInputs inputs;
  size_t longest = 0;
  int num_high = 0;
  for (const char* name : {"10_meds_10mb_code", "11_meds_non_utf8_code", "12_meds_empty_shard",
                           "13_meds_zero_subjects"}) {
    for (const std::string& path : list_parquet_files(inputs.path(name) + "/data")) {
      ParquetReader reader(path);
      int64_t num_rows = 0;
      reader.read({reader.require_column("code", {ColumnType::string})},
                  [&](const RowBatch& batch) {
                    for (int64_t i = 0; i < batch.num_rows; ++i) {
                      const std::string_view text = batch.columns[0].text(i);
                      longest = std::max(longest, text.size());
                      num_high += text.find('\xff') != text.npos || text.find('\xfe') != text.npos;
                    }
                    num_rows += batch.num_rows;
                  });
      EXPECT_EQ(num_rows, reader.num_rows());
    }
  }
  EXPECT_EQ(longest, size_t{10} << 20);
  EXPECT_GE(num_high, 1);
}

TEST(ParquetTypes, UnknownFileSystemsAreDataErrors) {
  EXPECT_THROW(ParquetReader("nosuchscheme://bucket/x.parquet"), DataError);
  EXPECT_THROW(list_parquet_files("nosuchscheme://bucket/"), DataError);
  try {
    ParquetReader("nosuchscheme://user:secret@bucket/x.parquet");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().path, "nosuchscheme://bucket/x.parquet");
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace sequela
