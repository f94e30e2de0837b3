#include "sequela/pipeline/prepare.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "sequela/batch/folder.h"
#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/split.h"
#include "sequela/run/folder_lock.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/visit_records.h"

namespace fs = std::filesystem;

namespace sequela {
namespace {

std::string test_folder(const std::string& name) {
  const std::string folder = ::testing::TempDir() + "sequela_prepare_" + name;
  fs::remove_all(folder);
  return folder;
}

// All files below a folder by name, but the lock.
std::map<std::string, std::string> contents(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().filename() == ".lock") continue;
    files[fs::relative(entry.path(), folder)] = read_file(entry.path());
  }
  return files;
}

void expect_same_files(const std::string& a, const std::string& b) {
  const auto first = contents(a);
  const auto second = contents(b);
  ASSERT_EQ(first.size(), second.size());
  for (const auto& [name, content] : first) {
    ASSERT_TRUE(second.contains(name)) << name;
    EXPECT_TRUE(content == second.at(name)) << name << " differs";
  }
}

std::vector<std::string> made(const PrepareReport& report) {
  std::vector<std::string> names;
  for (const PrepareStage& stage : report.stages) {
    if (!stage.reason.empty() && stage.name != "events") names.push_back(stage.name);
  }
  return names;
}

class Prepare : public ::testing::Test {
 protected:
  static PrepareOptions g60(const std::string& folder) {
    PrepareOptions options = small_prepare(folder);
    options.num_tasks = 128;
    options.num_threads = 2;
    return options;
  }
};

using Names = std::vector<std::string>;

TEST_F(Prepare, MakesAllArtifactsOnce) {
  const PrepareOptions options = g60(test_folder("once"));
  const PrepareReport first = prepare(options);
  EXPECT_EQ(made(first),
            (Names{"ontology/ontology.parquet", "split.csv", "tokenizer/dictionary.msgpack",
                   "motor_task.json", "train_batches", "val_batches"}));
  EXPECT_FALSE(first.is_up_to_date);
  EXPECT_FALSE(first.coverage.empty());
  EXPECT_FALSE(fs::exists(options.out + "/.events"));
  std::string femr_split = read_file(reference_path("motor/g60/split.csv"));
  std::erase(femr_split, '\r');
  EXPECT_EQ(read_file(options.out + "/split.csv"), femr_split);
  EXPECT_GT(BatchFolder::open(options.out + "/train_batches").num_batches(), 10);
  EXPECT_GT(BatchFolder::open(options.out + "/val_batches").num_batches(), 0);

  const auto before = contents(options.out);
  const PrepareReport second = prepare(options);
  EXPECT_TRUE(second.is_up_to_date);
  EXPECT_EQ(second.coverage, first.coverage);
  EXPECT_EQ(contents(options.out), before);
}

TEST_F(Prepare, CountsWhatTheDataHolds) {
  const PrepareOptions options = g60(test_folder("coverage"));
  prepare(options);
  const std::string path = options.out + "/coverage.json";
  const Json coverage = parse_json(read_file(path), path);
  EXPECT_EQ(coverage["events"]["subjects"], 60);
  EXPECT_GT(coverage["events"]["static_events"], 0);
  EXPECT_EQ(coverage["train_batches"]["windows"], 55);
  EXPECT_EQ(coverage["ontology"]["events"], coverage["events"]["events"]);
  EXPECT_GT(coverage["tokenizer"]["events_with_token"],
            coverage["tokenizer"]["events_with_own_token"]);
  EXPECT_LE(coverage["tokenizer"]["events_with_token"], coverage["events"]["events"]);
}

TEST_F(Prepare, BytesDoNotDependOnThreads) {
  PrepareOptions one = g60(test_folder("one_thread"));
  one.meds = test_folder("thread_meds");  // several shards, two buckets
  write_visit_records(one.meds, {.num_subjects = 1'800, .num_visits = 20, .num_shards = 3});
  one.athena.clear();
  one.tokens_per_batch = 8'192;
  one.num_threads = 1;
  PrepareOptions three = one;
  three.out = test_folder("three_threads");
  three.num_threads = 3;
  prepare(one);
  prepare(three);
  EXPECT_TRUE(fs::exists(one.out + "/train_batches/data-00001-of-00002.arrow"));
  expect_same_files(one.out, three.out);
}

TEST_F(Prepare, RebuildsWhatDependsOnAChange) {
  PrepareOptions options = g60(test_folder("change"));
  prepare(options);

  options.tokens_per_batch = 1'024;
  EXPECT_EQ(made(prepare(options)), (Names{"train_batches", "val_batches"}));

  const auto num_labels = [&] {
    const std::string path = options.out + "/coverage.json";
    return parse_json(read_file(path), path)["train_batches"]["labels"].get<int64_t>();
  };
  const int64_t of_a_tenth = num_labels();
  options.label_fraction = 0.4;
  EXPECT_EQ(made(prepare(options)), (Names{"train_batches", "val_batches"}));
  EXPECT_GT(num_labels(), 2 * of_a_tenth);

  options.val_fraction = 0.2;
  EXPECT_EQ(made(prepare(options)),
            (Names{"split.csv", "motor_task.json", "train_batches", "val_batches"}));

  options.num_bins = 4;
  EXPECT_EQ(made(prepare(options)), (Names{"motor_task.json", "train_batches", "val_batches"}));

  // An ontology that comes out the same does not touch what stands on it.
  options.remove_vocabularies.push_back("No such vocabulary");
  EXPECT_EQ(made(prepare(options)), (Names{"ontology/ontology.parquet"}));

  PrepareOptions fresh = options;
  fresh.out = test_folder("change_fresh");
  prepare(fresh);
  expect_same_files(options.out, fresh.out);
}

TEST_F(Prepare, RebuildsAfterChangedData) {
  PrepareOptions options = g60(test_folder("data"));
  const std::string meds = test_folder("data_meds");
  fs::copy(options.meds, meds, fs::copy_options::recursive);
  options.meds = meds;
  prepare(options);
  fs::remove_all(meds);
  fs::copy(tutorial_path("meds"), meds, fs::copy_options::recursive);
  EXPECT_EQ(made(prepare(options)).size(), 6u);
}

TEST_F(Prepare, MendsDamagedArtifacts) {
  const PrepareOptions options = g60(test_folder("damage"));
  prepare(options);
  const auto whole = contents(options.out);
  for (const char* name :
       {"motor_task.json", "train_batches/data-00000-of-00001.arrow", "val_batches/state.json"}) {
    std::fstream file(options.out + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('#');
  }
  EXPECT_EQ(made(prepare(options)), (Names{"motor_task.json", "train_batches", "val_batches"}));
  EXPECT_EQ(contents(options.out), whole);

  std::ofstream(options.out + "/manifest.json") << "{ not json";
  EXPECT_EQ(made(prepare(options)).size(), 6u);
  EXPECT_EQ(contents(options.out), whole);
}

TEST_F(Prepare, FemrFormHoldsTheSameBatches) {
  PrepareOptions options = g60(test_folder("femr_form"));
  options.batch_format = BatchForm::femr;
  prepare(options);
  PrepareOptions compact = g60(test_folder("compact_form"));
  prepare(compact);
  const BatchFolder a = BatchFolder::open(options.out + "/train_batches");
  const BatchFolder b = BatchFolder::open(compact.out + "/train_batches");
  ASSERT_EQ(a.num_batches(), b.num_batches());
  for (int64_t i = 0; i < a.num_batches(); ++i) EXPECT_EQ(a.num_tokens(i), b.num_tokens(i));
}

TEST_F(Prepare, KeepsASecondRunOut) {
  const PrepareOptions options = g60(test_folder("lock"));
  fs::create_directories(options.out);
  {
    const FolderLock lock(options.out);
    EXPECT_THROW(prepare(options), ConfigError);
  }
  EXPECT_NO_THROW(prepare(options));
}

TEST_F(Prepare, RefusesWrongOptions) {
  const PrepareOptions good = g60(test_folder("options"));
  const auto expect_refused = [&](auto change) {
    PrepareOptions options = good;
    change(options);
    EXPECT_THROW(prepare(options), ConfigError);
    EXPECT_FALSE(fs::exists(options.out + "/manifest.json"));
  };
  expect_refused([](PrepareOptions& o) { o.meds.clear(); });
  expect_refused([](PrepareOptions& o) { o.athena = "/no/such/folder"; });
  expect_refused([](PrepareOptions& o) { o.split = "/no/such/file"; });
  expect_refused([](PrepareOptions& o) { o.val_fraction = 1; });
  expect_refused([](PrepareOptions& o) { o.min_fraction = std::nan(""); });
  expect_refused([](PrepareOptions& o) { o.vocab_size = 0; });
  expect_refused([](PrepareOptions& o) { o.num_tasks = 100'000; });
  expect_refused([](PrepareOptions& o) { o.tokens_per_batch = 4; });
  expect_refused([](PrepareOptions& o) { o.label_fraction = 0; });
  expect_refused([](PrepareOptions& o) { o.label_fraction = 1.5; });
  expect_refused([](PrepareOptions& o) { o.num_threads = 0; });
}

TEST_F(Prepare, RefusesDataWithoutAUsableSubject) {
  PrepareOptions options = g60(test_folder("unusable"));
  options.athena.clear();
  options.meds = test_folder("unusable_meds");
  fs::create_directories(options.meds + "/data");
  TableColumn time{"time", std::vector<int64_t>{0, kMicrosPerDay}};
  time.is_timestamp = true;
  write_parquet(options.meds + "/data/0.parquet",
                {{"subject_id", std::vector<int64_t>{1, 1}},
                 time,
                 {"code", std::vector<std::string>{"A", "B"}},
                 {"numeric_value", std::vector<float>{0, 0}, {0, 0}}});
  try {
    prepare(options);
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("MEDS_BIRTH"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(fs::exists(options.out + "/train_batches"));
}

// Killed at many moments and run again, it ends with the same bytes.
TEST_F(Prepare, SurvivesBeingKilled) {
  const PrepareOptions whole = g60(test_folder("whole"));
  prepare(whole);
  const PrepareOptions options = g60(test_folder("killed"));
  for (int milliseconds = 5; milliseconds < 400; milliseconds += milliseconds / 4 + 5) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      prepare(options);
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) break;  // it was faster
  }
  prepare(options);
  expect_same_files(whole.out, options.out);
}

}  // namespace
}  // namespace sequela
