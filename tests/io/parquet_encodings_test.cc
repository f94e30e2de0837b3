// Encodings and kinds of columns that other writers make.
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"
#include "tests/io/parquet_support.h"

namespace sequela {
namespace {

// A column of each kind in the encodings that Parquet allows for it, plain last.
struct EncodedColumn {
  std::shared_ptr<arrow::Array> array;
  ColumnType type;
  std::vector<parquet::Encoding::type> encodings;
};

std::string write_encoded(const std::shared_ptr<arrow::Array>& array,
                          parquet::Encoding::type encoding, int64_t row_group_rows) {
  const std::string path = temporary_path("encoded.parquet");
  parquet::WriterProperties::Builder properties;
  properties.disable_dictionary();
  if (encoding == parquet::Encoding::RLE_DICTIONARY) {
    properties.enable_dictionary();
  } else {
    properties.encoding(encoding);
  }
  write_arrow(path, {{"x", array}}, properties.build(), row_group_rows);
  return path;
}

// Every value of the only column as text; a list's items in brackets.
std::vector<std::string> all_values(const std::string& path, ColumnType type) {
  std::vector<std::string> values;
  const auto item = [&](const ColumnSlice& slice, int64_t i) {
    if (slice.dictionary != nullptr) return std::string(slice.text(i));
    if (slice.int64s != nullptr) return str(slice.int64s[i]);
    if (slice.floats != nullptr) return str(slice.floats[i]);
    if (slice.doubles != nullptr) return str(slice.doubles[i]);
    return str(static_cast<int>(slice.booleans[i]));
  };
  each_row(path, type, [&](const ColumnSlice& slice, int64_t i) {
    if (!slice.is_valid(i)) return values.push_back("null");
    if (slice.list_offsets == nullptr) return values.push_back(item(slice, i));
    std::string text = "[";
    for (int64_t k = slice.list_offsets[i]; k < slice.list_offsets[i + 1]; ++k)
      text += item(slice, k) + ",";
    values.push_back(text + "]");
  });
  return values;
}

std::shared_ptr<arrow::Array> text_lists() {
  auto items = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), items);
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE((i % 7 == 3 ? lists.AppendNull() : lists.Append()).ok());
    for (int k = 0; i % 7 != 3 && k < i % 3; ++k)
      EXPECT_TRUE(items->Append("code/" + std::to_string(i + k)).ok());
  }
  return lists.Finish().ValueOrDie();
}

std::vector<EncodedColumn> encoded_columns() {
  using parquet::Encoding;
  std::vector<std::optional<std::string>> words;
  std::vector<std::optional<int64_t>> numbers;
  std::vector<std::optional<double>> reals;
  for (int i = 0; i < 30; ++i) {
    const bool is_null = i % 7 == 3;
    words.push_back(is_null ? std::nullopt : std::optional("LOINC/" + std::to_string(i % 5)));
    numbers.push_back(is_null ? std::nullopt : std::optional<int64_t>(1'000'000'000'000 + 37 * i));
    reals.push_back(is_null ? std::nullopt : std::optional(i / 8.0));
  }
  const std::vector<Encoding::type> of_text = {Encoding::DELTA_BYTE_ARRAY,
                                               Encoding::DELTA_LENGTH_BYTE_ARRAY,
                                               Encoding::RLE_DICTIONARY, Encoding::PLAIN};
  const std::vector<Encoding::type> of_integers = {Encoding::DELTA_BINARY_PACKED,
                                                   Encoding::BYTE_STREAM_SPLIT,
                                                   Encoding::RLE_DICTIONARY, Encoding::PLAIN};
  const std::vector<Encoding::type> of_reals = {Encoding::BYTE_STREAM_SPLIT,
                                                Encoding::RLE_DICTIONARY, Encoding::PLAIN};
  return {{texts(words), ColumnType::string, of_text},
          {build(arrow::LargeStringBuilder(), words), ColumnType::string, of_text},
          {build(arrow::BinaryBuilder(), words), ColumnType::string, of_text},
          {text_lists(), ColumnType::string_list, of_text},
          {build(arrow::Int64Builder(), numbers), ColumnType::int64, of_integers},
          {times(arrow::TimeUnit::MICRO, "", numbers), ColumnType::timestamp, of_integers},
          {build(arrow::FloatBuilder(), reals), ColumnType::float32, of_reals},
          {build(arrow::DoubleBuilder(), reals), ColumnType::float64, of_reals}};
}

TEST(ParquetTypes, EveryEncodingGivesTheSameValues) {
  for (const EncodedColumn& column : encoded_columns()) {
    for (const int64_t row_group_rows : {int64_t{7}, int64_t{1000}}) {
      const auto plain = all_values(
          write_encoded(column.array, parquet::Encoding::PLAIN, row_group_rows), column.type);
      ASSERT_EQ(plain.size(), 30u);
      for (const auto encoding : column.encodings) {
        SCOPED_TRACE(column.array->type()->ToString() + " " + parquet::EncodingToString(encoding));
        EXPECT_EQ(all_values(write_encoded(column.array, encoding, row_group_rows), column.type),
                  plain);
      }
    }
  }
}

TEST(ParquetTypes, BooleansInRuns) {
  const auto flags = build(arrow::BooleanBuilder(),
                           std::vector<std::optional<bool>>{true, std::nullopt, false, true, true});
  for (const auto encoding : {parquet::Encoding::RLE, parquet::Encoding::PLAIN}) {
    EXPECT_EQ(all_values(write_encoded(flags, encoding, 100), ColumnType::boolean),
              (std::vector<std::string>{"1", "null", "0", "1", "1"}));
  }
}

TEST(ParquetTypes, TextsOfAFixedSize) {
  arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(3));
  ASSERT_TRUE(builder.Append(std::string_view("abc")).ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  ASSERT_TRUE(builder.Append(std::string_view("xyz")).ok());
  EXPECT_EQ(all_values(write_column(builder.Finish().ValueOrDie()), ColumnType::string),
            (std::vector<std::string>{"abc", "null", "xyz"}));
}

// Spark and Hive write times as 96-bit integers of nanoseconds.
TEST(ParquetTypes, TimesOf96BitsReachBeyondNanoseconds) {
  const int64_t year_3000_us = int64_t{32'503'680'000} * 1'000'000;
  const std::string path = temporary_path("int96.parquet");
  const auto array = times(arrow::TimeUnit::MICRO, "", {0, year_3000_us, std::nullopt});
  write_arrow(
      path, {{"x", array}}, parquet::default_writer_properties(), 100,
      parquet::ArrowWriterProperties::Builder().enable_deprecated_int96_timestamps()->build());
  EXPECT_EQ(all_values(path, ColumnType::timestamp),
            (std::vector<std::string>{"0", str(year_3000_us), "null"}));
}

TEST(ParquetTypes, AColumnTwiceIsRefusedByName) {
  const std::string path = temporary_path("twice.parquet");
  const auto array = texts({"a", "b"});
  write_arrow(path, {{"code", array}, {"code", array}, {"x", array}});
  const ParquetReader reader(path);
  EXPECT_EQ(reader.find_column("x"), 2);
  try {
    reader.require_column("code", {ColumnType::string});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().path, path);
    EXPECT_EQ(error.where().column, "code");
    EXPECT_NE(std::string(error.what()).find("two columns of this name. Fix: "), std::string::npos);
  }
}

TEST(ParquetTypes, ColumnsSayWhatTheyAre) {
  const auto info = [](const std::shared_ptr<arrow::Array>& array) {
    return ParquetReader(write_column(array)).columns().at(0);
  };
  EXPECT_EQ(info(times(arrow::TimeUnit::MICRO, "Europe/Berlin", {0})).zone, "Europe/Berlin");
  EXPECT_EQ(info(times(arrow::TimeUnit::MICRO, "", {0})).zone, "");
  EXPECT_TRUE(info(build(arrow::Date32Builder(), std::vector<std::optional<int32_t>>{1})).is_date);
  EXPECT_FALSE(info(build(arrow::Int32Builder(), std::vector<std::optional<int32_t>>{1})).is_date);
  const std::string empty = write_column(std::make_shared<arrow::NullArray>(3));
  const ParquetReader reader(empty);
  EXPECT_TRUE(reader.columns().at(0).is_empty);
  EXPECT_EQ(reader.find_column("x"), 0);
  EXPECT_FALSE(reader.find_filled_column("x"));
}

}  // namespace
}  // namespace sequela
