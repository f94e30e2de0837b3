// What ingest counts and tells, and the chunks of a store.
#include <cmath>
#include <filesystem>
#include <limits>

#include "sequela/core/time.h"
#include "sequela/io/parquet.h"
#include "tests/meds/support.h"

namespace sequela {
namespace {

struct Row {
  int64_t subject = 0;
  std::optional<int64_t> time_us;
  std::string code;
  std::optional<double> number;
};

void write_shard(const std::string& path, const std::vector<Row>& rows) {
  std::vector<int64_t> subjects, times;
  std::vector<std::string> codes;
  std::vector<double> numbers;
  std::vector<uint8_t> has_time, has_number;
  for (const Row& row : rows) {
    subjects.push_back(row.subject);
    times.push_back(row.time_us.value_or(0));
    has_time.push_back(row.time_us.has_value());
    codes.push_back(row.code);
    numbers.push_back(row.number.value_or(0));
    has_number.push_back(row.number.has_value());
  }
  write_parquet(path, {{.name = "subject_id", .values = subjects},
                       {.name = "time", .values = times, .valid = has_time, .is_timestamp = true},
                       {.name = "code", .values = codes},
                       {.name = "numeric_value", .values = numbers, .valid = has_number}});
}

// Two shards with one of everything odd in the first, two of everything in the second.
void write_oddities(const std::string& folder) {
  std::filesystem::create_directories(folder + "/data");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr int64_t kLate = kMaxTimeUs + 1;
  write_shard(folder + "/data/0.parquet", {{1, {}, "STATIC", {}},
                                           {1, 5, "EARLY", {}},
                                           {1, 10, "MEDS_BIRTH", {}},
                                           {1, 10, "WITH_BIRTH", kInfinity},
                                           {1, 11, "MEDS_BIRTH", {}},
                                           {1, kLate, "LATE", {}},
                                           {2, 1, "NO_BIRTH", 1}});
  write_shard(folder + "/data/1.parquet", {{3, {}, "STATIC", {}},
                                           {3, {}, "STATIC", {}},
                                           {3, 3, "EARLY", {}},
                                           {3, 4, "EARLY", {}},
                                           {3, 5, "MEDS_BIRTH", {}},
                                           {3, 5, "MEDS_BIRTH", std::nan("")},
                                           {4, 5, "MEDS_BIRTH", -kInfinity},
                                           {4, 6, "MEDS_BIRTH", {}},
                                           {4, kLate, "LATE", {}},
                                           {4, kLate, "LATE", {}},
                                           {5, {}, "MEDS_BIRTH", {}},
                                           {6, 0, "ALONE", {}},
                                           {7, 0, "MEDS_BIRTH", {}}});
}

void expect_oddities(const IngestReport& report) {
  EXPECT_EQ(report.num_shards, 2);
  EXPECT_EQ(report.num_subjects, 7);
  EXPECT_EQ(report.num_events, 20);
  EXPECT_EQ(report.num_static_events, 4);
  EXPECT_EQ(report.num_codes, 7);
  EXPECT_EQ(report.subjects_without_birth, 3);
  EXPECT_EQ(report.subjects_with_several_births, 3);
  EXPECT_EQ(report.events_before_birth, 3);
  EXPECT_EQ(report.non_finite_values, 3);
  EXPECT_EQ(report.clipped_times, 3);
  EXPECT_EQ(report.rounded_values, 0);
}

TEST(IngestReports, SumOverShardsAndAreToldInEveryRun) {
  const TestFolder meds, folder;
  write_oddities(meds.path());
  for (const int64_t num_reused : {0, 2}) {
    const LogLines log;
    const IngestReport report = ingest({.meds = meds.path(), .folder = folder.path()});
    expect_oddities(report);
    EXPECT_EQ(report.num_shards_reused, num_reused);
    EXPECT_EQ(log.count("3 subjects have no MEDS_BIRTH with a time"), 1);
    EXPECT_EQ(log.count("3 subjects have several MEDS_BIRTH events"), 1);
    EXPECT_EQ(log.count("3 events lie before their subject's birth"), 1);
    EXPECT_EQ(log.count("3 values are NaN or infinite"), 1);
    EXPECT_EQ(log.count("3 times lie beyond the year 9999"), 1);
    EXPECT_EQ(log.count("whole numbers"), 0);
  }
}

TEST(IngestReports, AreTheSameAfterRepair) {
  const TestFolder meds, folder;
  write_oddities(meds.path());
  expect_oddities(ingest({.meds = meds.path(), .folder = folder.path(), .repair = true}));
  // Subject 2 in both shards and not in order: it is counted once, its events all.
  write_shard(meds / "data/1.parquet", {{2, 7, "LATER", {}}, {2, 0, "MEDS_BIRTH", {}}});
  const IngestReport report =
      ingest({.meds = meds.path(), .folder = folder.path(), .repair = true});
  EXPECT_EQ(report.num_subjects, 2);
  EXPECT_EQ(report.num_events, 9);
  EXPECT_EQ(report.subjects_without_birth, 0);
  EXPECT_EQ(report.events_before_birth, 1);
  EXPECT_EQ(report.num_static_events, 1);
  EXPECT_EQ(report.clipped_times, 1);
  const EventStore store = EventStore::open(folder.path());
  std::vector<std::string> codes;
  const Subject subject = store.subject(1);
  for (int64_t i = 0; i < subject.num_events; ++i) codes.push_back(store.codes()[subject.code(i)]);
  EXPECT_EQ(codes, (std::vector<std::string>{"MEDS_BIRTH", "NO_BIRTH", "LATER"}));
}

TEST(IngestReports, SayNothingOfGoodData) {
  const TestFolder meds, folder;
  std::filesystem::create_directories(meds / "data");
  write_shard(meds / "data/0.parquet", {{1, 0, "MEDS_BIRTH", {}}, {1, kMaxTimeUs, "LAST", 0.5}});
  const LogLines log;
  ingest({.meds = meds.path(), .folder = folder.path()});
  EXPECT_EQ(log.count(""), 0);
}

TEST(Chunks, EndWithTheSubjectThatReachesAQuarterMillionEvents) {
  const TestFolder meds, folder;
  std::filesystem::create_directories(meds / "data");
  std::vector<Row> rows;
  const std::vector<int64_t> sizes = {125'000, 125'000, 249'999, 1, 260'000, 3};
  for (size_t s = 0; s < sizes.size(); ++s) {
    rows.insert(rows.end(), sizes[s], {static_cast<int64_t>(s), 0, "MEDS_BIRTH", {}});
  }
  write_shard(meds / "data/0.parquet", rows);
  ingest({.meds = meds.path(), .folder = folder.path()});
  std::vector<std::vector<int64_t>> chunks;
  const EventStore store = EventStore::open(folder.path());
  for (const Chunk& chunk : store.chunks()) {
    chunks.push_back({chunk.first_subject, chunk.num_subjects, chunk.num_events});
  }
  EXPECT_EQ(chunks, (std::vector<std::vector<int64_t>>{
                        {0, 2, 250'000}, {2, 2, 250'000}, {4, 1, 260'000}, {5, 1, 3}}));
}

}  // namespace
}  // namespace sequela
