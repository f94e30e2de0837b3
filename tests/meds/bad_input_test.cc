#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/core/time.h"
#include "sequela/io/parquet.h"
#include "tests/meds/support.h"
#include "tests/support/bad_inputs.h"

namespace sequela {
namespace {

// The message with which the data set is refused; nothing that looks complete may be left.
std::string refusal(const std::string& meds, IngestOptions options = {}) {
  TestFolder folder;
  options.meds = meds;
  options.folder = folder.path();
  std::string message;
  try {
    ingest(options);
    ADD_FAILURE() << meds << " was accepted";
  } catch (const DataError& error) {
    message = error.what();
  }
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 1000u);
  EXPECT_FALSE(std::filesystem::exists(folder / "store.index"));
  return message;
}

void expect_words(const std::string& message, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << "'" << word << "' in: " << message;
  }
}

// Each test of this file also keeps to 10 s and 512 MiB resident.
class BadInput : public testing::Test {
 protected:
  std::string bad(const std::string& name) { return inputs_.path(name); }
  void TearDown() override {
    const auto seconds = std::chrono::steady_clock::now() - start_;
    EXPECT_LT(std::chrono::duration<double>(seconds).count(), 10);
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
#ifndef __SANITIZE_ADDRESS__
    EXPECT_LT(usage.ru_maxrss, 512 * 1024);
#endif
  }

 private:
  BadInputs inputs_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(BadInput, TruncatedParquet) {
  expect_words(refusal(bad("01_meds_truncated_parquet")), {"0.parquet", "Parquet"});
}

TEST_F(BadInput, WrongTypes) {
  expect_words(refusal(bad("02_meds_wrong_types")), {"0.parquet", "subject_id", "string", "int"});
}

TEST_F(BadInput, UnsortedSubjects) {
  expect_words(refusal(bad("03_meds_unsorted_subjects")), {"0.parquet", "row ", "subject 0"});
}

TEST_F(BadInput, TimesBackwards) {
  expect_words(refusal(bad("04_meds_times_backwards")),
               {"0.parquet", "row group 0", "row 1 ", "subject 0", "time"});
}

TEST_F(BadInput, RepairGivesTheControl) {
  const auto control = ingest_and_read(bad("good_controls/meds"));
  for (const char* name : {"03_meds_unsorted_subjects", "04_meds_times_backwards"}) {
    IngestReport report;
    const auto repaired = ingest_and_read(bad(name), {.repair = true}, &report);
    EXPECT_EQ(repaired, control) << name;
    EXPECT_EQ(report.num_subjects, kNumGoodSubjects);
    EXPECT_EQ(report.num_events, static_cast<int64_t>(good_rows().size()));
    EXPECT_EQ(report.events_before_birth, 0);
  }
}

TEST_F(BadInput, RepairLeavesGoodDataAlone) {
  for (const std::string& meds : {bad("good_controls/meds"), reference_path("motor/g60/meds")}) {
    EXPECT_EQ(ingest_and_read(meds, {.repair = true}), ingest_and_read(meds)) << meds;
  }
}

TEST_F(BadInput, NullSubject) {
  expect_words(refusal(bad("05_meds_null_subject_id")),
               {"0.parquet", "row group 0", "row 5", "subject_id", "null"});
}

TEST_F(BadInput, EventsBeforeBirthAreCounted) {
  IngestReport report;
  ingest_and_read(bad("06_meds_events_before_birth"), {}, &report);
  EXPECT_EQ(report.events_before_birth, 4);
}

TEST_F(BadInput, TheEarliestBirthCounts) {
  IngestReport report;
  const auto events = ingest_and_read(bad("07_meds_duplicate_births"), {}, &report);
  EXPECT_EQ(report.subjects_with_several_births, 1);
  int64_t earliest = kMaxTimeUs;
  for (const PlainEvent& event : events) {
    if (event.subject_id != 4 || event.code != kBirthCode) continue;
    earliest = std::min(earliest, event.time_us);
    EXPECT_LE(event.birth_us, event.time_us);
  }
  EXPECT_EQ(std::find_if(events.begin(), events.end(),
                         [](const auto& event) { return event.subject_id == 4; })
                ->birth_us,
            earliest);
}

TEST_F(BadInput, TheFarFutureIsClipped) {
  IngestReport report;
  const auto events = ingest_and_read(bad("08_meds_far_future"), {}, &report);
  EXPECT_EQ(report.clipped_times, 2);
  for (const PlainEvent& event : events) EXPECT_LE(event.time_us, kMaxTimeUs);
}

TEST_F(BadInput, NotFiniteValuesAreKeptAndCounted) {
  TestFolder folder;
  const IngestReport report =
      ingest({.meds = bad("09_meds_nan_inf_values"), .folder = folder.path()});
  EXPECT_EQ(report.non_finite_values, 3);
  const EventStore store = EventStore::open(folder.path());
  const PropertyValues values = store.subject(0).properties[0];
  ASSERT_TRUE(values.number(0).has_value());
  EXPECT_TRUE(std::isnan(*values.number(0)));
  EXPECT_EQ(values.number(1), std::numeric_limits<float>::infinity());
  EXPECT_EQ(values.number(2), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(values.has_value(5));
  EXPECT_FALSE(values.has_value(6));
}

TEST_F(BadInput, HugeCode) {
  expect_words(refusal(bad("10_meds_10mb_code")), {"0.parquet", "row 10", "code", "65536"});
}

TEST_F(BadInput, CodeNotUtf8) {
  expect_words(refusal(bad("11_meds_non_utf8_code")), {"0.parquet", "row 7", "code", "UTF-8"});
}

TEST_F(BadInput, AnEmptyShardChangesNothing) {
  EXPECT_EQ(ingest_and_read(bad("12_meds_empty_shard")),
            ingest_and_read(bad("good_controls/meds")));
}

TEST_F(BadInput, NoSubjects) {
  expect_words(refusal(bad("13_meds_zero_subjects")), {"no subjects"});
}

TEST_F(BadInput, NoCodes) {
  expect_words(refusal(bad("14_meds_missing_code_column")), {"0.parquet", "code"});
}

TEST_F(BadInput, SubjectInTwoShards) {
  expect_words(refusal(bad("15_meds_subject_in_two_shards")),
               {"0.parquet", "1.parquet", "subject 19"});
}

TEST_F(BadInput, RepairGathersASubjectOfTwoShards) {
  IngestReport report;
  const auto events =
      ingest_and_read(bad("15_meds_subject_in_two_shards"), {.repair = true}, &report);
  const MedsRows rows = good_rows();
  const auto twice = std::ranges::count(rows.subjects, 19);
  const int64_t num_events = static_cast<int64_t>(rows.size()) + twice;
  EXPECT_EQ(report.num_subjects, kNumGoodSubjects);
  EXPECT_EQ(report.num_events, num_events);
  EXPECT_EQ(static_cast<int64_t>(events.size()), num_events);
  TestFolder folder;
  ingest({.meds = bad("15_meds_subject_in_two_shards"), .folder = folder.path(), .repair = true});
  const EventStore store = EventStore::open(folder.path());
  int64_t counted = 0;
  for (const int64_t count : store.counts()) counted += count;
  EXPECT_EQ(counted, num_events);
  EXPECT_EQ(store.subject(*store.find_subject(19)).num_events, 2 * twice);
  const IngestReport again = ingest(
      {.meds = bad("15_meds_subject_in_two_shards"), .folder = folder.path(), .repair = true});
  EXPECT_EQ(again.num_shards_reused, 2);
  EXPECT_EQ(again.num_subjects, kNumGoodSubjects);
}

TEST_F(BadInput, NotMeds) {
  TestFolder folder;
  Table table = good_rows().table();
  table[3].name = "value";  // a table with other names, and no folder data/
  write_parquet(folder / "events.parquet", table);
  refusal(folder.path());
  refusal(folder / "no_such_folder");
}

TEST_F(BadInput, TruncatedDatabase) {
  expect_words(refusal(bad("31_reader_db_truncated_data")), {"code/data", "Fix: "});
}

TEST_F(BadInput, DatabaseWithoutDictionary) {
  expect_words(refusal(bad("32_reader_db_missing_zdict")), {"time/zdict", "missing"});
}

// Whatever is broken, the answer is a store or an Error: never a crash, never another exception.
TEST(DamagedParquet, GivesAStoreOrAnError) {
  TestFolder folder;
  write_rows(folder / "meds", good_rows());
  const std::string path = folder / "meds/data/0.parquet";
  const std::string content = read_file(path);
  Random random(11);
  for (int round = 0; round < 150; ++round) {
    std::string broken = content;
    for (uint64_t i = 0; i <= random.below(4); ++i) {
      broken[random.below(broken.size())] = static_cast<char>(random.below(256));
    }
    write_file(path, broken);
    try {
      ingest_and_read(folder / "meds");
    } catch (const Error&) {
    }
  }
}

// Rows of three subjects, as columns to write.
Table make_rows(int64_t num_rows) {
  std::vector<int64_t> ids, times;
  std::vector<std::string> codes, texts;
  for (int64_t i = 0; i < num_rows; ++i) {
    ids.push_back(i * 3 / num_rows);
    times.push_back(i);
    codes.push_back("code/" + std::to_string(i % 7));
    texts.push_back(i % 2 == 0 ? "" : std::to_string(i % 3));
  }
  return {{.name = "subject_id", .values = ids},
          {.name = "time", .values = times, .is_timestamp = true},
          {.name = "code", .values = codes},
          {.name = "text_value", .values = texts}};
}

TEST_F(BadInput, NamesTheRowGroupAndTheRow) {
  TestFolder folder;
  std::filesystem::create_directories(folder / "meds/data");
  const std::string path = folder / "meds/data/0.parquet";
  const auto write = [&](const Table& second) {
    ParquetWriter writer(path);
    Table first = make_rows(90);
    writer.write(first);
    writer.write(second);
    writer.finish();
  };
  Table second = make_rows(90);
  auto& ids = std::get<std::vector<int64_t>>(second[0].values);
  for (int64_t& id : ids) id += 3;
  write(second);
  EXPECT_EQ(ingest_and_read(folder / "meds").size(), 180u);

  second[1].valid.assign(90, 1);
  second[1].valid[40] = 0;
  write(second);
  expect_words(refusal(folder / "meds"), {"row group 1", "row 130", "subject 4", "no time"});

  second[1].valid.clear();
  second[2].valid.assign(90, 1);
  second[2].valid[50] = 0;
  write(second);
  expect_words(refusal(folder / "meds"), {"row group 1", "row 140", "subject 4", "code", "null"});

  second[2].valid.clear();
  std::get<std::vector<std::string>>(second[3].values)[11] = "\xFF\xFE";
  write(second);
  expect_words(refusal(folder / "meds"), {"row group 1", "row 101", "text_value", "UTF-8"});

  std::get<std::vector<std::string>>(second[3].values)[11] = "";
  for (int64_t& id : ids) id -= 1;
  write(second);  // subject 2 goes on in the second row group with an earlier time
  expect_words(refusal(folder / "meds"), {"row group 1", "row 90", "subject 2", "earlier"});
  EXPECT_EQ(ingest_and_read(folder / "meds", {.repair = true}).size(), 180u);
}

}  // namespace
}  // namespace sequela
