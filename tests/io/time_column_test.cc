#include "sequela/io/time_column.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "tests/io/parquet_support.h"

namespace sequela {
namespace {

std::vector<std::string> read_times(const std::shared_ptr<arrow::Array>& array, ZoneRule rule,
                                    TimeNotes* notes = nullptr) {
  ParquetReader reader(write_column(array));
  TimeColumn times(reader, "x", rule, TimeColumn::Texts::allowed);
  std::vector<std::string> read;
  reader.read({times.column()}, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i)
      read.push_back(to_text(times.time_us(batch.columns[0], i)));
  });
  if (notes != nullptr) *notes = times.notes();
  return read;
}

using Texts = std::vector<std::string>;
using Times = std::vector<std::optional<int64_t>>;

// Both sides of the day in March 2020 on which New York's clock jumped ahead, and a summer.
const Times kInstants = {1'583'650'799'000'000, 1'583'650'800'000'000, 1'594'000'000'000'000, -1};

TEST(TimeColumn, AZoneIsTakenInUtcAndNamed) {
  TimeNotes notes;
  const auto array = times(arrow::TimeUnit::MICRO, "America/New_York", kInstants);
  EXPECT_EQ(read_times(array, ZoneRule::utc, &notes),
            (Texts{"2020-03-08 06:59:59", "2020-03-08 07:00:00", "2020-07-06 01:46:40",
                   "1969-12-31 23:59:59.999999"}));
  EXPECT_EQ(notes.zone, "America/New_York");
  EXPECT_FALSE(notes.has_dates);
}

TEST(TimeColumn, OrAsItsClockShowed) {
  const auto array = times(arrow::TimeUnit::MICRO, "America/New_York", kInstants);
  EXPECT_EQ(read_times(array, ZoneRule::local),
            (Texts{"2020-03-08 01:59:59", "2020-03-08 03:00:00", "2020-07-05 21:46:40",
                   "1969-12-31 18:59:59.999999"}));
}

TEST(TimeColumn, OffsetsAreZonesToo) {
  for (const char* zone : {"+05:30", "+0530"}) {
    const auto array = times(arrow::TimeUnit::SECOND, zone, {0, 86'400});
    EXPECT_EQ(read_times(array, ZoneRule::local),
              (Texts{"1970-01-01 05:30:00", "1970-01-02 05:30:00"}));
  }
  const auto west = times(arrow::TimeUnit::MILLI, "-02:00", {0});
  EXPECT_EQ(read_times(west, ZoneRule::local), Texts{"1969-12-31 22:00:00"});
  EXPECT_EQ(read_times(west, ZoneRule::utc), Texts{"1970-01-01 00:00:00"});
}

TEST(TimeColumn, ExtremeTimesKeepTheirOrder) {
  const auto array = times(arrow::TimeUnit::SECOND, "America/New_York",
                           {-9'000'000'000'000, 0, 9'000'000'000'000});
  ParquetReader reader(write_column(array));
  TimeColumn column(reader, "x", ZoneRule::local);
  reader.read({0}, [&](const RowBatch& batch) {
    EXPECT_LT(column.time_us(batch.columns[0], 0), column.time_us(batch.columns[0], 1));
    EXPECT_LT(column.time_us(batch.columns[0], 1), column.time_us(batch.columns[0], 2));
  });
}

TEST(TimeColumn, AnUnknownZoneIsRefusedOnlyWhereItsClockIsAskedFor) {
  const auto array = times(arrow::TimeUnit::MICRO, "Mars/Olympus", {0});
  EXPECT_EQ(read_times(array, ZoneRule::utc), Texts{"1970-01-01 00:00:00"});
  EXPECT_THROW(read_times(array, ZoneRule::local), ConfigError);
}

TEST(TimeColumn, ADateIsItsDaysStart) {
  TimeNotes notes;
  const std::vector<std::optional<int32_t>> days = {18'000, -1};
  EXPECT_EQ(read_times(build(arrow::Date32Builder(), days), ZoneRule::utc, &notes),
            (Texts{"2019-04-14 00:00:00", "1969-12-31 00:00:00"}));
  EXPECT_TRUE(notes.has_dates);
  const Times millis = {int64_t{18'000} * 86'400'000};
  EXPECT_EQ(read_times(build(arrow::Date64Builder(), millis), ZoneRule::utc),
            Texts{"2019-04-14 00:00:00"});
}

TEST(TimeColumn, TextsGiveTimesWhereTheyAreAllowed) {
  TimeNotes notes;
  const auto array = texts({"2020-01-31", "2020-01-31 10:00:00", "2020-01-31T10:00:00.5+02:00",
                            "2020-01-31 10:00:00-05"});
  EXPECT_EQ(read_times(array, ZoneRule::utc, &notes),
            (Texts{"2020-01-31 00:00:00", "2020-01-31 10:00:00", "2020-01-31 08:00:00.500000",
                   "2020-01-31 15:00:00"}));
  EXPECT_TRUE(notes.has_dates);
  EXPECT_FALSE(notes.zone.empty());
  EXPECT_EQ(read_times(array, ZoneRule::local).at(2), "2020-01-31 10:00:00.500000");
  EXPECT_THROW(read_times(texts({"yesterday"}), ZoneRule::utc), DataError);
  const ParquetReader reader(write_column(array));
  EXPECT_THROW(TimeColumn(reader, "x", ZoneRule::utc), DataError);
}

}  // namespace
}  // namespace sequela
