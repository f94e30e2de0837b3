#include "sequela/synth/synth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/ingest.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

std::string fresh_folder(const std::string& name) {
  const std::string folder = fs::path(::testing::TempDir()) / ("synth_" + name);
  fs::remove_all(folder);
  return folder;
}

SynthReport make(const std::string& folder, int64_t num_subjects, uint64_t seed, int num_threads) {
  SynthOptions options;
  options.folder = folder;
  options.num_subjects = num_subjects;
  options.seed = seed;
  options.num_threads = num_threads;
  return synth(options);
}

std::map<std::string, std::string> digests(const std::string& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      found[fs::relative(entry.path(), folder)] = file_digest(entry.path());
    }
  }
  return found;
}

TEST(Synth, IsTheSameForAnyNumberOfThreads) {
  const std::string one = fresh_folder("one"), three = fresh_folder("three");
  make(one, 2600, 5, 1);
  make(three, 2600, 5, 3);
  const auto digests_of_one = digests(one);
  EXPECT_GE(digests_of_one.size(), 22u);
  EXPECT_EQ(digests_of_one, digests(three));
}

TEST(Synth, FollowsTheSeed) {
  const std::string first = fresh_folder("seed1"), second = fresh_folder("seed2");
  make(first, 50, 1, 1);
  make(second, 50, 2, 1);
  auto digests_1 = digests(first), digests_2 = digests(second);
  EXPECT_NE(digests_1["meds/data/train/0.parquet"], digests_2["meds/data/train/0.parquet"]);
  EXPECT_NE(digests_1["labels.parquet"], digests_2["labels.parquet"]);
  EXPECT_EQ(digests_1["athena/CONCEPT.csv"], digests_2["athena/CONCEPT.csv"]);
  EXPECT_EQ(digests_1["truth/hazards.json"], digests_2["truth/hazards.json"]);
}

TEST(Synth, ReplacesItsOwnFolderOnly) {
  const std::string folder = fresh_folder("again");
  make(folder, 20, 1, 1);
  EXPECT_EQ(make(folder, 30, 1, 1).num_subjects, 30);
  const std::string other = fresh_folder("other");
  fs::create_directories(other);
  write_file(other + "/thesis.txt", "years of work");
  EXPECT_THROW(make(other, 20, 1, 1), ConfigError);
  EXPECT_TRUE(fs::exists(other + "/thesis.txt"));
}

TEST(Synth, RefusesBadOptions) {
  EXPECT_THROW(make(fresh_folder("none"), 0, 1, 1), ConfigError);
  EXPECT_THROW(make(fresh_folder("none"), 10, 1, 0), ConfigError);
  EXPECT_THROW(make("", 10, 1, 1), ConfigError);
  EXPECT_FALSE(fs::exists(fresh_folder("none")));
}

// One data set that the tests below look into.
class SynthData : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new std::string(fresh_folder("data"));
    report_ = new SynthReport(make(*folder_, 1500, 3, 2));
  }
  static void TearDownTestSuite() {
    delete folder_;
    delete report_;
  }
  static std::string* folder_;
  static SynthReport* report_;
};
std::string* SynthData::folder_ = nullptr;
SynthReport* SynthData::report_ = nullptr;

std::set<std::string> read_codes(const std::string& path) {
  ParquetReader reader(path);
  std::set<std::string> codes;
  reader.read({reader.require_column("code", {ColumnType::string})}, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) codes.emplace(batch.columns[0].text(i));
  });
  return codes;
}

TEST_F(SynthData, IsValidMeds) {
  const std::set<std::string> known = read_codes(*folder_ + "/meds/metadata/codes.parquet");
  std::set<int64_t> seen;
  int64_t num_events = 0, num_values = 0, num_texts = 0;
  for (const std::string& path : list_parquet_files(*folder_ + "/meds/data")) {
    ParquetReader reader(path);
    const std::vector<int> columns = {reader.require_column("subject_id", {ColumnType::int64}),
                                      reader.require_column("time", {ColumnType::timestamp}),
                                      reader.require_column("code", {ColumnType::string}),
                                      reader.require_column("numeric_value", {ColumnType::float32}),
                                      reader.require_column("text_value", {ColumnType::string}),
                                      reader.require_column("unit", {ColumnType::string})};
    int64_t subject = -1, time = kNoTime, birth = kNoTime;
    bool is_dead = false;
    reader.read(columns, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        if (batch.columns[0].int64s[i] != subject) {
          ASSERT_GT(batch.columns[0].int64s[i], subject);
          subject = batch.columns[0].int64s[i];
          ASSERT_TRUE(seen.insert(subject).second) << subject << " is in two shards";
          time = birth = kNoTime;
          is_dead = false;
        }
        const int64_t now = batch.columns[1].is_valid(i) ? batch.columns[1].int64s[i] : kNoTime;
        ASSERT_GE(now, time);
        time = now;
        const std::string_view code = batch.columns[2].text(i);
        ASSERT_TRUE(known.count(std::string(code))) << code;
        ASSERT_FALSE(is_dead) << "an event after death";
        if (code == "MEDS_BIRTH") birth = now;
        if (code == "MEDS_DEATH") is_dead = true;
        ASSERT_TRUE(now == kNoTime || now >= birth);
        num_values += batch.columns[3].is_valid(i);
        num_texts += batch.columns[4].is_valid(i);
        ASSERT_EQ(batch.columns[3].is_valid(i), batch.columns[5].is_valid(i));
        ++num_events;
      }
      ASSERT_NE(birth, kNoTime);
    });
  }
  EXPECT_EQ(seen.size(), 1500u);
  EXPECT_EQ(num_events, report_->num_events);
  EXPECT_GT(num_events, 300 * 1500);
  EXPECT_GT(num_values, num_events / 3);
  EXPECT_GT(num_texts, 0);
}

TEST_F(SynthData, IsTakenInWithoutComplaint) {
  IngestOptions options;
  options.meds = *folder_ + "/meds";
  options.folder = fresh_folder("store");
  options.num_threads = 2;
  const IngestReport ingested = ingest(options);
  EXPECT_EQ(ingested.num_subjects, report_->num_subjects);
  EXPECT_EQ(ingested.num_events, report_->num_events);
  EXPECT_EQ(ingested.num_static_events, 3 * report_->num_subjects);
  EXPECT_EQ(ingested.subjects_without_birth, 0);
  EXPECT_EQ(ingested.events_before_birth, 0);
  EXPECT_EQ(ingested.non_finite_values, 0);
}

TEST_F(SynthData, UsesThousandsOfCodesUnevenly) {
  std::map<std::string, int64_t> counts;
  for (const std::string& path : list_parquet_files(*folder_ + "/meds/data")) {
    ParquetReader reader(path);
    reader.read({*reader.find_column("code")}, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        ++counts[std::string(batch.columns[0].text(i))];
      }
    });
  }
  std::set<std::string> vocabularies;
  int64_t num_rare = 0;
  for (const auto& [code, count] : counts) {
    vocabularies.insert(code.substr(0, code.find('/')));
    num_rare += count < 20;
  }
  EXPECT_GT(counts.size(), 5000u);
  EXPECT_LE(counts.size(), 10'000u);
  EXPECT_GT(num_rare, 500);
  for (const char* name : {"SNOMED", "ICD10CM", "RxNorm", "LOINC", "CPT4", "HemOnc", "Visit",
                           "Gender", "Race", "LOCAL"}) {
    EXPECT_TRUE(vocabularies.count(name)) << name;
  }
}

struct DatedLabel {
  int64_t subject_id;
  int64_t time_us;
  bool value;
};

std::vector<DatedLabel> read_task(const std::string& folder, SynthTask task) {
  ParquetReader reader(folder + "/labels/" + task_name(task) + ".parquet");
  std::vector<DatedLabel> labels;
  reader.read({*reader.find_column("subject_id"), *reader.find_column("prediction_time"),
               *reader.find_column("boolean_value")},
              [&](const RowBatch& batch) {
                for (int64_t i = 0; i < batch.num_rows; ++i) {
                  labels.push_back({batch.columns[0].int64s[i], batch.columns[1].int64s[i],
                                    batch.columns[2].booleans[i] != 0});
                }
              });
  return labels;
}

// For each subject, the times of the events that have one of the codes.
std::map<int64_t, std::vector<int64_t>> times_of(const std::string& folder,
                                                 const std::set<std::string>& wanted) {
  std::map<int64_t, std::vector<int64_t>> times;
  for (const std::string& path : list_parquet_files(folder + "/meds/data")) {
    ParquetReader reader(path);
    reader.read({*reader.find_column("subject_id"), *reader.find_column("time"),
                 *reader.find_column("code")},
                [&](const RowBatch& batch) {
                  for (int64_t i = 0; i < batch.num_rows; ++i) {
                    if (wanted.count(std::string(batch.columns[2].text(i)))) {
                      times[batch.columns[0].int64s[i]].push_back(batch.columns[1].int64s[i]);
                    }
                  }
                });
  }
  return times;
}

bool is_any_within(const std::vector<int64_t>& times, int64_t after, int64_t until) {
  return std::any_of(times.begin(), times.end(),
                     [&](int64_t time) { return time > after && time <= until; });
}

TEST_F(SynthData, ReadmissionLabelsAgreeWithTheRecords) {
  auto admissions = times_of(*folder_, {"Visit/IP"});
  const auto labels = read_task(*folder_, SynthTask::readmission_30d);
  ASSERT_GT(labels.size(), 300u);
  for (const DatedLabel& label : labels) {
    EXPECT_EQ(label.value, is_any_within(admissions[label.subject_id], label.time_us,
                                         label.time_us + 30 * kMicrosPerDay));
  }
}

TEST_F(SynthData, MortalityLabelsAgreeWithTheRecords) {
  auto admissions = times_of(*folder_, {"Visit/IP"});
  auto discharges = times_of(*folder_, {"LOCAL/discharge"});
  auto deaths = times_of(*folder_, {"MEDS_DEATH"});
  const auto labels = read_task(*folder_, SynthTask::in_hospital_mortality);
  ASSERT_GT(labels.size(), 300u);
  for (const DatedLabel& label : labels) {
    const auto& stays = admissions[label.subject_id];
    EXPECT_EQ(std::count(stays.begin(), stays.end(), label.time_us - kMicrosPerDay), 1);
    const auto& ends = discharges[label.subject_id];
    const auto discharge = std::upper_bound(ends.begin(), ends.end(), label.time_us);
    EXPECT_EQ(label.value, discharge == ends.end());
    if (label.value) {
      EXPECT_TRUE(is_any_within(deaths[label.subject_id], label.time_us, kMaxTimeUs));
    }
  }
}

TEST_F(SynthData, OnsetLabelsAgreeWithTheRecords) {
  const SynthVocabulary vocabulary = build_vocabulary();
  std::set<std::string> codes;
  for (const int32_t code : vocabulary.diseases[kOnsetTaskDisease].diagnoses) {
    codes.insert(vocabulary.codes[code]);
    codes.insert(vocabulary.codes[vocabulary.icd_of[code]]);
  }
  auto diagnoses = times_of(*folder_, codes);
  const auto labels = read_task(*folder_, SynthTask::chronic_onset_1y);
  ASSERT_GT(labels.size(), 1000u);
  for (const DatedLabel& label : labels) {
    const auto& times = diagnoses[label.subject_id];
    EXPECT_FALSE(is_any_within(times, kMinTimeUs, label.time_us));
    EXPECT_EQ(label.value,
              is_any_within(times, label.time_us, label.time_us + 365 * kMicrosPerDay));
  }
}

}  // namespace
}  // namespace sequela
