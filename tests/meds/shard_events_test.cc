#include "sequela/meds/shard_events.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "tests/meds/support.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

// In the form of read_all_events(), without the birth.
PlainEvent plain(const ShardEvent& event) {
  PlainEvent result{event.subject_id, 0, event.time_us, std::string(event.code), {"", ""}};
  if (event.number)
    result.values[0] = "number " + std::to_string(__builtin_bit_cast(uint32_t, *event.number));
  if (!event.text.empty()) result.values[1] = "text " + std::string(event.text);
  return result;
}

std::vector<PlainEvent> events_of(const std::string& meds, int64_t num_skipped = 0) {
  std::vector<PlainEvent> events;
  for (const std::string& path : find_dataset(meds).shards) {
    ShardEvents shard(path, ZoneRule::utc);
    shard.skip(num_skipped);
    ShardEvent event;
    for (int64_t row = num_skipped; shard.next(event); ++row) {
      EXPECT_EQ(event.row, row);
      events.push_back(plain(event));
    }
  }
  return events;
}

TEST(ShardEvents, AreThoseOfTheStore) {
  for (const std::string& meds : {reference_path("motor/g60/meds"), tutorial_path("meds")}) {
    std::vector<PlainEvent> expected = ingest_and_read(meds), events = events_of(meds);
    for (PlainEvent& event : expected) event.birth_us = 0;
    std::ranges::stable_sort(events, {}, &PlainEvent::subject_id);
    EXPECT_GT(events.size(), 1'000u);
    EXPECT_TRUE(events == expected) << meds;
  }
}

Table table(const std::vector<int64_t>& ids, const std::vector<std::string>& codes) {
  return {{.name = "subject_id", .values = ids},
          {.name = "time", .values = std::vector<int64_t>(ids.size(), 5), .is_timestamp = true},
          {.name = "code", .values = codes},
          {.name = "numeric_value", .values = std::vector<double>(ids.size(), 0.1)}};
}

TEST(ShardEvents, SkipRowsAcrossRowGroups) {
  const TestFolder folder;
  std::filesystem::create_directories(folder / "data");
  ParquetWriter writer(folder / "data/0.parquet");
  writer.write(table({1, 2}, {"a", "b"}));
  writer.write(table({3, 4, 5}, {"c", "d", "e"}));
  writer.finish();
  const auto all = events_of(folder.path());
  ASSERT_EQ(all.size(), 5u);
  for (int64_t skipped = 0; skipped <= 6; ++skipped) {
    const auto rest = events_of(folder.path(), skipped);
    ASSERT_EQ(rest.size(), static_cast<size_t>(std::max<int64_t>(0, 5 - skipped)));
    EXPECT_TRUE(std::equal(rest.rbegin(), rest.rend(), all.rbegin()));
  }
}

TEST(ShardEvents, GoOnBehindABadRow) {
  const TestFolder folder;
  write_parquet(folder / "0.parquet", table({1, 2, 3}, {"a", "", "c"}));
  ShardEvents shard(folder / "0.parquet", ZoneRule::utc);
  ShardEvent event;
  EXPECT_TRUE(shard.next(event));
  try {
    shard.next(event);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().row, 1);
    EXPECT_EQ(error.where().row_group, 0);
    EXPECT_EQ(error.where().subject_id, 2);
    EXPECT_EQ(error.where().column, "code");
    EXPECT_EQ(error.where().path, folder / "0.parquet");
  }
  EXPECT_TRUE(shard.next(event));
  EXPECT_EQ(event.code, "c");
  EXPECT_FALSE(shard.next(event));
}

}  // namespace
}  // namespace sequela
