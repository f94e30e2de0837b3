// What a data set becomes: every row and column, from Parquet and from a meds_reader database.
#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"
#include "tests/meds/support.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

struct SetCounts {
  Reference reference;
  std::string path;  // below tests/reference, or ../shared
  int64_t subjects, events, codes, shards;
};

class RealSets : public testing::TestWithParam<SetCounts> {};

TEST_P(RealSets, CountsAreThoseOfTheirDescription) {
  const bool is_own = GetParam().reference == Reference::repository;
  if (!is_own) SEQUELA_NEED_SHARED();
  TestFolder folder;
  const IngestReport report =
      ingest({.meds = is_own ? reference_path(GetParam().path) : shared_path(GetParam().path),
              .folder = folder.path()});
  EXPECT_EQ(report.num_subjects, GetParam().subjects);
  EXPECT_EQ(report.num_events, GetParam().events);
  EXPECT_EQ(report.num_codes, GetParam().codes);
  EXPECT_EQ(report.num_shards, GetParam().shards);
  const EventStore store = EventStore::open(folder.path());
  EXPECT_EQ(store.num_subjects(), report.num_subjects);
  EXPECT_EQ(store.num_events(), report.num_events);
  int64_t events = 0, counted = 0, next = 0;
  for (const Chunk& chunk : store.chunks()) {
    EXPECT_EQ(chunk.first_subject, next);
    next += chunk.num_subjects;
    events += chunk.num_events;
  }
  for (const int64_t count : store.counts()) counted += count;
  EXPECT_EQ(next, store.num_subjects());
  EXPECT_EQ(events, store.num_events());
  EXPECT_EQ(counted, store.num_events());
  EXPECT_TRUE(std::is_sorted(store.codes().begin(), store.codes().end()));
}

constexpr Reference kOwn = Reference::repository, kShared = Reference::shared;

INSTANTIATE_TEST_SUITE_P(
    Meds, RealSets,
    testing::Values(SetCounts{kOwn, "motor/g60/meds", 60, 6634, 1045, 1},
                    SetCounts{kOwn, "motor/g60/meds_reader", 60, 6634, 1045, 1},
                    SetCounts{kOwn, "motor/tutorial/meds", 80, 1525, 415, 1},
                    SetCounts{kOwn, "motor/tutorial/meds_reader", 80, 1525, 415, 1},
                    SetCounts{kShared, "data/mimic4_demo_meds", 100, 916166, 7035, 3},
                    SetCounts{kShared, "data/mimic4_demo_meds_reader", 100, 916166, 7035, 1},
                    SetCounts{kShared, "data/synthea27_meds", 28, 24783, 417, 1},
                    SetCounts{kShared, "data/synthea27_meds_reader", 28, 24783, 417, 1},
                    SetCounts{kShared, "data/synthea27_meds_athena", 28, 24835, 422, 4},
                    SetCounts{kShared, "data/gibleed_meds", 2694, 222341, 322, 2},
                    SetCounts{kShared, "data/femr_tutorial/meds", 200, 2589, 1883, 1},
                    SetCounts{kShared, "data/femr_tutorial/meds_reader", 200, 2589, 1883, 1},
                    SetCounts{kShared, "parity/motor/g60/meds", 60, 12226, 3582, 1}),
    [](const auto& info) {
      std::string name = to_text(info.param.reference) + "_" + info.param.path;
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

// The rows of a Parquet shard as an independent, plain reading gives them.
std::vector<PlainEvent> read_plainly(const std::string& path) {
  std::vector<PlainEvent> events;
  ParquetReader reader(path);
  std::vector<int> columns;
  for (const char* name : {"subject_id", "time", "code", "numeric_value"}) {
    columns.push_back(*reader.find_column(name));
  }
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      const auto& c = batch.columns;
      events.push_back({c[0].int64s[i], 0, c[1].is_valid(i) ? c[1].int64s[i] : kNoTime,
                        std::string(c[2].text(i))});
      events.back().values.push_back(
          c[3].is_valid(i)
              ? "number " + std::to_string(__builtin_bit_cast(uint32_t, c[3].floats[i]))
              : "");
    }
  });
  return events;
}

TEST(Ingest, KeepsEveryRowOfMimicInOrder) {
  SEQUELA_NEED_SHARED();
  std::vector<PlainEvent> expected;
  for (const char* shard : {"0", "1", "2"}) {
    const auto rows =
        read_plainly(shared_path(str("data/mimic4_demo_meds/data/", shard, ".parquet")));
    expected.insert(expected.end(), rows.begin(), rows.end());
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.subject_id < b.subject_id; });
  IngestReport report;
  auto events = ingest_and_read(shared_path("data/mimic4_demo_meds"), {}, &report);
  for (PlainEvent& event : events) event.birth_us = 0;
  ASSERT_EQ(events.size(), expected.size());
  for (size_t i = 0; i < events.size(); ++i) ASSERT_EQ(events[i], expected[i]) << i;
  EXPECT_EQ(report.num_static_events, 100);
  EXPECT_EQ(std::count_if(events.begin(), events.end(),
                          [](const auto& event) { return !event.values[0].empty(); }),
            405236);
}

TEST(Ingest, KeepsEveryRowInOrder) {
  const TestFolder meds;
  const VisitRecords written = write_visit_records(meds.path(), {.num_shards = 3});
  std::vector<PlainEvent> expected;
  for (const char* shard : {"0", "1", "2"}) {
    const auto rows = read_plainly(meds / (std::string("data/") + shard + ".parquet"));
    expected.insert(expected.end(), rows.begin(), rows.end());
  }
  IngestReport report;
  auto events = ingest_and_read(meds.path(), {.properties = {"numeric_value"}}, &report);
  for (PlainEvent& event : events) event.birth_us = 0;
  ASSERT_EQ(events.size(), expected.size());
  for (size_t i = 0; i < events.size(); ++i) ASSERT_EQ(events[i], expected[i]) << i;
  EXPECT_EQ(report.num_static_events, 28);
  EXPECT_EQ(report.num_events, written.num_events);
}

TEST(Ingest, KeepsTextValues) {
  TestFolder meds, folder;
  const VisitRecords written = write_visit_records(meds.path());
  ingest({.meds = meds.path(), .folder = folder.path()});
  const EventStore store = EventStore::open(folder.path());
  ASSERT_EQ(store.properties().size(), 2u);
  EXPECT_EQ(store.properties()[0].name, "numeric_value");
  EXPECT_EQ(store.properties()[1].name, "text_value");
  int64_t num_numbers = 0, num_texts = 0, num_with_value = 0;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    const Subject subject = store.subject(s);
    for (int64_t i = 0; i < subject.num_events; ++i) {
      num_numbers += subject.value_properties[0].has_value(i);
      num_texts += subject.value_properties[1].has_value(i);
      num_with_value += subject.has_value(i);
    }
  }
  EXPECT_EQ(num_numbers, written.num_numbers);
  EXPECT_EQ(num_texts, written.num_texts);
  EXPECT_GT(num_texts, 0);
  EXPECT_EQ(num_with_value, num_numbers + num_texts);
}

struct Twins {
  Reference reference;
  std::string parquet, database;
};

class DatabaseForm : public testing::TestWithParam<Twins> {};

TEST_P(DatabaseForm, GivesTheSameStoreAsParquet) {
  const bool is_own = GetParam().reference == Reference::repository;
  if (!is_own) SEQUELA_NEED_SHARED();
  const auto path = is_own ? reference_path : shared_path;
  const IngestOptions options{.properties = {"all"}};
  const auto parquet = ingest_and_read(path(GetParam().parquet), options);
  const auto database = ingest_and_read(path(GetParam().database), options);
  ASSERT_EQ(parquet.size(), database.size());
  for (size_t i = 0; i < parquet.size(); ++i) ASSERT_EQ(parquet[i], database[i]) << i;
}

INSTANTIATE_TEST_SUITE_P(
    Meds, DatabaseForm,
    testing::Values(Twins{kOwn, "motor/g60/meds", "motor/g60/meds_reader"},
                    Twins{kOwn, "motor/tutorial/meds", "motor/tutorial/meds_reader"},
                    Twins{kShared, "data/mimic4_demo_meds", "data/mimic4_demo_meds_reader"},
                    Twins{kShared, "data/synthea27_meds", "data/synthea27_meds_reader"},
                    Twins{kShared, "data/femr_tutorial/meds", "data/femr_tutorial/meds_reader"}));

TEST(Ingest, AllPropertiesAreThoseOfTheColumns) {
  TestFolder meds, folder;
  write_visit_records(meds.path());
  ingest({.meds = meds.path(), .folder = folder.path(), .properties = {"all"}});
  const EventStore store = EventStore::open(folder.path());
  std::string found;
  for (const Property& property : store.properties()) {
    found += property.name + (property.is_text ? ":text " : ":number ");
  }
  EXPECT_EQ(found,
            "numeric_value:number text_value:text end:text table:text unit:text visit_id:number ");
  const auto& ends = store.properties()[2].texts;
  ASSERT_FALSE(ends.empty());
  EXPECT_EQ(ends.front().size(), std::string_view("2000-01-01 00:00:00").size());
}

// A float32 would round ids above 2^24.
TEST(Ingest, KeepsIdsAsTextsWhereTheDataHaveThem) {
  TestFolder meds, folder;
  write_visit_records(meds.path());
  ingest(
      {.meds = meds.path(), .folder = folder.path(), .text_properties = {"visit_id", "hadm_id"}});
  const EventStore store = EventStore::open(folder.path());
  const Property& visits = store.properties().back();
  EXPECT_EQ(visits.name, "visit_id");
  ASSERT_TRUE(visits.is_text);
  for (const auto& text : visits.texts)
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) << text;
}

TEST(Ingest, RejectsAColumnThatNoShardHas) {
  TestFolder meds, folder;
  write_visit_records(meds.path());
  EXPECT_THROW(ingest({.meds = meds.path(), .folder = folder.path(), .properties = {"ward"}}),
               DataError);
}

}  // namespace
}  // namespace sequela
