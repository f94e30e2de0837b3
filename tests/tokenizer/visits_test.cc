#include "sequela/tokenizer/sequence/visits.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sequela/core/error.h"
#include "tests/support/visit_records.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

constexpr int64_t kHour = 3600 * kMicrosPerSecond;

struct Event {
  int64_t subject_id;
  std::optional<int64_t> hours;  // since 1970
  std::string code;
  std::string visit_id;  // empty = null
};

// A store of these events, sorted by subject and time.
struct Data {
  TestFolder folder;
  std::optional<EventStore> store;

  explicit Data(const std::vector<Event>& events) {
    TableColumn subjects{"subject_id", std::vector<int64_t>()};
    TableColumn times{"time", std::vector<int64_t>()};
    times.is_timestamp = true;
    TableColumn codes{"code", std::vector<std::string>()};
    TableColumn visits{"visit_id", std::vector<std::string>()};
    for (const Event& event : events) {
      std::get<std::vector<int64_t>>(subjects.values).push_back(event.subject_id);
      std::get<std::vector<int64_t>>(times.values).push_back(event.hours.value_or(0) * kHour);
      times.valid.push_back(event.hours.has_value());
      std::get<std::vector<std::string>>(codes.values).push_back(event.code);
      std::get<std::vector<std::string>>(visits.values).push_back(event.visit_id);
      visits.valid.push_back(!event.visit_id.empty());
    }
    std::filesystem::create_directories(folder / "meds/data");
    write_parquet(folder / "meds/data/0.parquet", {subjects, times, codes, visits});
    IngestOptions options;
    options.meds = folder / "meds";
    options.folder = folder / "store";
    options.properties = {"all"};
    ingest(options);
    store = EventStore::open(options.folder);
  }

  // "A B | C" a subject.
  std::vector<std::string> group(const VisitOptions& options, VisitStats* stats = nullptr) const {
    const PatientVisits visits = build_visits(*store, options, 2, stats);
    std::vector<std::string> out;
    for (int64_t p = 0; p < visits.num_patients(); ++p) {
      std::string text;
      for (int64_t v = visits.visit_offsets[p]; v < visits.visit_offsets[p + 1]; ++v) {
        if (!text.empty()) text += " |";
        for (const int32_t code : visits.codes_of(v)) text += " " + store->codes()[code];
      }
      out.push_back(text);
    }
    return out;
  }
};

using Texts = std::vector<std::string>;

std::vector<Event> two_subjects() {
  return {{1, std::nullopt, "SEX", ""}, {1, 1, "L/a", "v1"},  {1, 2, "D/b", ""},
          {1, 3, "L/c", "v1"},          {1, 30, "D/d", ""},   {1, 31, "D/e", "v1"},
          {1, 90, "L/f", "v2"},         {1, 91, "L/f", "v2"}, {2, 1, "D/b", "v1"}};
}

TEST(Visits, HybridTakesEncountersElseDays) {
  const Data data(two_subjects());
  VisitStats stats;
  VisitOptions options;
  EXPECT_EQ(data.group(options, &stats), (Texts{" D/e L/a L/c | D/b | D/d | L/f L/f", " D/b"}));
  EXPECT_EQ(stats.num_events, 8);
  EXPECT_EQ(stats.num_events_without_time, 1);
  options.group_by_type = false;
  EXPECT_EQ(data.group(options)[0], " L/a L/c D/e | D/b | D/d | L/f L/f");
}

TEST(Visits, OtherRules) {
  const Data data(two_subjects());
  VisitStats stats;
  EXPECT_EQ(data.group({.rule = VisitRule::encounter}, &stats),
            (Texts{" D/e L/a L/c | L/f L/f", " D/b"}));
  EXPECT_EQ(stats.num_events_without_visit, 2);
  EXPECT_EQ(data.group({.rule = VisitRule::day}),
            (Texts{" D/b L/a L/c | D/d D/e | L/f L/f", " D/b"}));
  EXPECT_EQ(data.group({.rule = VisitRule::hours_window, .window_hours = 29}),
            (Texts{" D/b D/d L/a L/c | D/e | L/f L/f", " D/b"}));
}

TEST(Visits, LimitsKeepTheMostRecentAndCountTheRest) {
  const Data data(two_subjects());
  VisitStats stats;
  EXPECT_EQ(data.group({.rule = VisitRule::day, .max_visits = 2, .max_codes = 1}, &stats),
            (Texts{" D/d | L/f", " D/b"}));
  EXPECT_EQ(stats.num_visits_dropped, 1);
  EXPECT_EQ(stats.num_codes_cut, 2);
  EXPECT_EQ(data.group({.rule = VisitRule::day, .drop_repeats = true})[0],
            " D/b L/a L/c | D/d D/e | L/f");
  EXPECT_EQ(data.group({.rule = VisitRule::day, .until_us = 3 * kHour})[0], " D/b L/a L/c");
}

TEST(Visits, OptionsThatCannotBe) {
  const Data data(two_subjects());
  EXPECT_THROW(data.group({.encounter_column = "nope"}), ConfigError);
  EXPECT_THROW(data.group({.rule = VisitRule::hours_window, .window_hours = 0}), ConfigError);
  EXPECT_THROW(data.group({.max_visits = -1}), ConfigError);
}

// A store of ids as numbers, which a meds_reader database leads to: rounded to float32.
TEST(Visits, RoundedEncounterIdsAreRefusedByName) {
  const TestFolder folder;
  std::filesystem::create_directories(folder / "meds/data");
  TableColumn times{"time", std::vector<int64_t>{0, kHour}};
  times.is_timestamp = true;
  write_parquet(folder / "meds/data/0.parquet",
                {{"subject_id", std::vector<int64_t>{1, 1}},
                 times,
                 {"code", std::vector<std::string>{"A", "B"}},
                 {"hadm_id", std::vector<int64_t>{20'000'001, 20'000'002}}});
  ingest({.meds = folder / "meds", .folder = folder / "store", .properties = {"hadm_id"}});
  const EventStore store = EventStore::open(folder / "store");
  try {
    build_visits(store, {}, 2, nullptr);
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("'hadm_id' go beyond 16777216"), std::string::npos) << message;
    EXPECT_NE(message.find("Fix: give the MEDS data set"), std::string::npos) << message;
  }
  EXPECT_EQ(build_visits(store, {.rule = VisitRule::day}, 2, nullptr).num_visits(), 1);
}

// Against a plain grouping of the same events.
TEST(Visits, Encounters) {
  TestFolder folder;
  IngestOptions options;
  options.meds = folder / "meds";
  write_visit_records(options.meds);
  options.folder = folder / "store";
  options.properties = {"all"};
  ingest(options);
  const EventStore store = EventStore::open(options.folder);
  const PatientVisits visits =
      build_visits(store, {.rule = VisitRule::encounter, .group_by_type = false}, 2, nullptr);
  size_t column = 0;
  while (store.properties()[column].name != "visit_id") ++column;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    const Subject subject = store.subject(s);
    std::map<float, std::vector<int32_t>> plain;
    std::vector<float> order;
    for (int64_t i = 0; i < subject.num_events; ++i) {
      const auto id = subject.properties[column].number(i);
      if (!id || subject.time_us(i) == kNoTime) continue;
      if (plain.try_emplace(*id).second) order.push_back(*id);
      plain[*id].push_back(subject.code(i));
    }
    ASSERT_EQ(visits.visit_offsets[s + 1] - visits.visit_offsets[s],
              static_cast<int64_t>(order.size()));
    for (size_t v = 0; v < order.size(); ++v) {
      const auto codes = visits.codes_of(visits.visit_offsets[s] + static_cast<int64_t>(v));
      EXPECT_EQ(std::vector<int32_t>(codes.begin(), codes.end()), plain[order[v]]);
    }
  }
  EXPECT_GT(visits.num_visits(), 100);
}

}  // namespace
}  // namespace sequela
