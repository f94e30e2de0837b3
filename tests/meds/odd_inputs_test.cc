// Inputs as other programs write them, made here.
#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "tests/meds/support.h"
#include "tests/support/arrow_tables.h"

namespace sequela {
namespace {

using Integers = std::vector<std::optional<int64_t>>;
constexpr int64_t kDay = kMicrosPerDay;

// A data set of one subject with four events; the columns named replace its own, or are added.
class OddData {
 public:
  OddData() { std::filesystem::create_directories(folder_ / "data"); }

  std::string write(const std::vector<ArrowColumn>& changes, const std::string& shard = "0") {
    std::vector<ArrowColumn> columns = {
        {"subject_id", build(arrow::Int64Builder(), Integers{7, 7, 7, 7})},
        {"time", times(arrow::TimeUnit::MICRO, "", {std::nullopt, 0, 10 * kDay, 20 * kDay})},
        {"code", texts({"GENDER//F", "MEDS_BIRTH", "LOINC/1", "LOINC/2"})}};
    for (const ArrowColumn& change : changes) {
      const auto known = std::ranges::find(columns, change.name, &ArrowColumn::name);
      if (known != columns.end() && !is_added_twice_) {
        known->array = change.array;
      } else {
        columns.push_back(change);
      }
    }
    write_arrow(folder_ / ("data/" + shard + ".parquet"), columns);
    return folder_.path();
  }
  void add_twice() { is_added_twice_ = true; }

 private:
  TestFolder folder_;
  bool is_added_twice_ = false;
};

const IngestOptions kAll{.properties = {"all"}};

std::vector<PlainEvent> read_with_numbers(const std::shared_ptr<arrow::Array>& numbers,
                                          IngestReport* report = nullptr) {
  return ingest_and_read(OddData().write({{"numeric_value", numbers}}), {}, report);
}

template <class Builder, class T>
std::shared_ptr<arrow::Array> numbers_of() {
  return build(Builder(), std::vector<std::optional<T>>{std::nullopt, std::nullopt, 7, 120});
}

TEST(OddInputs, NumbersOfEveryIntegerTypeAreTheSame) {
  const auto plain = read_with_numbers(numbers_of<arrow::FloatBuilder, float>());
  ASSERT_EQ(plain.size(), 4u);
  EXPECT_EQ(plain[3].values.at(0),
            "number " + std::to_string(__builtin_bit_cast(uint32_t, 120.0F)));
  IngestReport report;
  EXPECT_EQ(read_with_numbers(numbers_of<arrow::Int64Builder, int64_t>(), &report), plain);
  EXPECT_EQ(report.rounded_values, 0);
  EXPECT_EQ(read_with_numbers(numbers_of<arrow::Int32Builder, int32_t>()), plain);
  EXPECT_EQ(read_with_numbers(numbers_of<arrow::Int16Builder, int16_t>()), plain);
  EXPECT_EQ(read_with_numbers(numbers_of<arrow::Int8Builder, int8_t>()), plain);
  EXPECT_EQ(read_with_numbers(numbers_of<arrow::UInt64Builder, uint64_t>()), plain);
  EXPECT_EQ(read_with_numbers(numbers_of<arrow::UInt32Builder, uint32_t>()), plain);
  EXPECT_EQ(read_with_numbers(numbers_of<arrow::UInt16Builder, uint16_t>()), plain);
  EXPECT_EQ(read_with_numbers(numbers_of<arrow::UInt8Builder, uint8_t>()), plain);
}

TEST(OddInputs, WholeNumbersThatLoseDigitsAreCountedAndToldOnce) {
  const LogLines log;
  IngestReport report;
  const auto events = read_with_numbers(
      build(arrow::Int64Builder(),
            Integers{(1 << 24) + 1, 1 << 24, -(1 << 24) - 3, std::numeric_limits<int64_t>::max()}),
      &report);
  EXPECT_EQ(report.rounded_values, 3);
  EXPECT_EQ(log.count("3 whole numbers have more digits"), 1);
  EXPECT_EQ(events[1].values.at(0),
            "number " + std::to_string(__builtin_bit_cast(uint32_t, 0x1p24F)));
  IngestReport exact;
  read_with_numbers(build(arrow::Int64Builder(), Integers{1 << 25, int64_t{1} << 62,
                                                          std::numeric_limits<int64_t>::min(), -5}),
                    &exact);
  EXPECT_EQ(exact.rounded_values, 0);
}

TEST(OddInputs, DatesAreNoNumbers) {
  const auto dates = build(arrow::Date32Builder(), std::vector<std::optional<int32_t>>{1, 2, 3, 4});
  EXPECT_THROW(read_with_numbers(dates), DataError);
}

TEST(OddInputs, AColumnWithoutAnyValueIsAsIfItWereNotThere) {
  const auto empty = std::make_shared<arrow::NullArray>(4);
  EXPECT_EQ(ingest_and_read(
                OddData().write({{"numeric_value", empty}, {"text_value", empty}, {"unit", empty}}),
                kAll),
            ingest_and_read(OddData().write({}), kAll));
}

TEST(OddInputs, AnEmptyShardMayHaveAnyTypes) {
  OddData data;
  data.write({});
  const auto none = std::make_shared<arrow::NullArray>(0);
  OddData other;
  const std::string meds = data.write({});
  write_arrow(meds + "/data/1.parquet", {{"subject_id", none}, {"time", none}, {"code", none}});
  EXPECT_EQ(ingest_and_read(meds).size(), 4u);
}

TEST(OddInputs, AColumnTwiceIsRefused) {
  for (const char* name : {"subject_id", "time", "code", "numeric_value"}) {
    OddData data;
    data.add_twice();
    const auto number = numbers_of<arrow::FloatBuilder, float>();
    const std::string meds = data.write({{"numeric_value", number}, {name, number}});
    try {
      ingest_and_read(meds);
      FAIL() << name;
    } catch (const DataError& error) {
      EXPECT_EQ(error.where().column, name);
      EXPECT_NE(error.where().path.find("data/0.parquet"), std::string::npos);
    }
  }
}

std::vector<std::string> times_of(const std::vector<PlainEvent>& events) {
  std::vector<std::string> read;
  for (const PlainEvent& event : events) read.push_back(to_text(event.time_us));
  return read;
}

using Texts = std::vector<std::string>;

TEST(OddInputs, TimesWithAZoneAreTakenInUtcAndToldOnce) {
  OddData data;
  const auto zoned =
      times(arrow::TimeUnit::MICRO, "America/New_York", {std::nullopt, 0, 10 * kDay, 20 * kDay});
  data.write({{"time", zoned}}, "0");
  const std::string meds = data.write(
      {{"time", zoned}, {"subject_id", build(arrow::Int64Builder(), Integers{8, 8, 8, 8})}}, "1");
  const LogLines log;
  EXPECT_EQ(times_of(ingest_and_read(meds)).at(2), "1970-01-11 00:00:00");
  EXPECT_EQ(log.count("America/New_York"), 1);
  EXPECT_EQ(log.count("--time-zone local"), 1);
  const IngestOptions local{.zone_rule = ZoneRule::local};
  EXPECT_EQ(times_of(ingest_and_read(meds, local)),
            (Texts{"none", "1969-12-31 19:00:00", "1970-01-10 19:00:00", "1970-01-20 19:00:00",
                   "none", "1969-12-31 19:00:00", "1970-01-10 19:00:00", "1970-01-20 19:00:00"}));
}

// On 2020-11-01 the clock of New York showed the hour from 1 to 2 twice.
TEST(OddInputs, AnHourThatAClockRepeatsIsPutInOrder) {
  const int64_t first_pass = 1'604'208'000'000'000;  // 01:20 there
  OddData data;
  const std::string meds =
      data.write({{"time", times(arrow::TimeUnit::MICRO, "America/New_York",
                                 {std::nullopt, 0, first_pass, first_pass + 3'000'000'000})}});
  const auto read = ingest_and_read(meds, {.zone_rule = ZoneRule::local});
  EXPECT_EQ(times_of(read),
            (Texts{"none", "1969-12-31 19:00:00", "2020-11-01 01:10:00", "2020-11-01 01:20:00"}));
  EXPECT_EQ(read[2].code, "LOINC/2");
}

TEST(OddInputs, DatesAsTimesAreTheirDaysStart) {
  OddData data;
  const std::string meds =
      data.write({{"time", build(arrow::Date32Builder(),
                                 std::vector<std::optional<int32_t>>{std::nullopt, 0, 10, 20})}});
  const LogLines log;
  EXPECT_EQ(times_of(ingest_and_read(meds)),
            (Texts{"none", "1970-01-01 00:00:00", "1970-01-11 00:00:00", "1970-01-21 00:00:00"}));
  EXPECT_EQ(log.count("are dates without a time of day"), 1);
}

TEST(OddInputs, EveryEncodingGivesTheSameEvents) {
  using parquet::Encoding;
  OddData data;
  const auto plain = ingest_and_read(data.write({{"text_value", texts({{}, {}, "a", "b"})}}));
  for (const auto encoding : {Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_LENGTH_BYTE_ARRAY}) {
    TestFolder folder;
    std::filesystem::create_directories(folder / "data");
    parquet::WriterProperties::Builder properties;
    properties.disable_dictionary()
        ->encoding("subject_id", Encoding::DELTA_BINARY_PACKED)
        ->encoding("time", Encoding::DELTA_BINARY_PACKED)
        ->encoding("code", encoding)
        ->encoding("text_value", encoding);
    write_arrow(
        folder / "data/0.parquet",
        {{"subject_id", build(arrow::Int64Builder(), Integers{7, 7, 7, 7})},
         {"time", times(arrow::TimeUnit::MICRO, "", {std::nullopt, 0, 10 * kDay, 20 * kDay})},
         {"code", texts({"GENDER//F", "MEDS_BIRTH", "LOINC/1", "LOINC/2"})},
         {"text_value", texts({{}, {}, "a", "b"})}},
        properties.build());
    EXPECT_EQ(ingest_and_read(folder.path()), plain);
  }
}

}  // namespace
}  // namespace sequela
