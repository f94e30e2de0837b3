// Each kind of artifact, described by its key figures.
#include "sequela/pipeline/inspect.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>

#include "sequela/core/error.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/test_folder.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class Inspect : public testing::Test {
 protected:
  // A prepared folder, checkpoints, a bundle and embeddings, all small.
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TestFolder>();
    prepare(small_prepare(path("files")));
    PretrainOptions run = small_pretrain(path("files"), path("output"), path("model"));
    run.keep_output = true;
    pretrain(run);
    compute_features(small_features(path("embeddings")));
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::string path(const std::string& name) { return *folder_ / name; }

  // The description says `name` with just this value (a regular expression).
  static void expect_line(const std::string& text, const std::string& name,
                          const std::string& value) {
    const std::regex line(str("(^|\n) +", name, " +(", value, ")(\n|$)"));
    EXPECT_TRUE(std::regex_search(text, line)) << name << " " << value << "\n" << text;
  }

 private:
  inline static std::unique_ptr<TestFolder> folder_;
};

TEST_F(Inspect, DataSets) {
  const std::string meds = inspect(tutorial_path("meds"));
  EXPECT_NE(meds.find("MEDS data set"), std::string::npos) << meds;
  expect_line(meds, "shards", "1");
  expect_line(meds, "events", "1,525");
  expect_line(meds, "column subject_id", ".*int64.*");
  const std::string database = inspect(tutorial_path("meds_reader"));
  EXPECT_NE(database.find("meds_reader database"), std::string::npos) << database;
  expect_line(database, "subjects", "80");
  write_visit_records(path("visits"));
  expect_line(inspect(path("visits")), "split [a-z_]+", "[0-9]+");
}

TEST_F(Inspect, PreparedFolders) {
  const std::string all = inspect(path("files"));
  EXPECT_EQ(all.find("missing"), std::string::npos) << all;
  for (const char* part : {"ontology/ontology.parquet", "split.csv", "tokenizer", "motor_task.json",
                           "train_batches", "val_batches"}) {
    EXPECT_NE(all.find(inspect(path("files/") + part)), std::string::npos) << part << "\n" << all;
  }
  expect_line(all, "train subjects", "55 \\(91.7 %\\)");
  expect_line(all, "validation subjects", "5 \\(8.3 %\\)");
  expect_line(all, "tokens", "1,024");
  expect_line(all, "numeric bins", "[1-9][0-9]*");
  expect_line(all, "tasks", "[1-9][0-9]?");
  expect_line(all, "time bins", "0 s \\| .* \\| no end");
  expect_line(all, "batches", "[1-9][0-9]*");
  expect_line(all, "largest batch", "5[0-9][0-9] tokens|4[0-9][0-9] tokens");
  expect_line(inspect(path("files/tokenizer/dictionary.msgpack")), "tokens", "1,024");

  const TestFolder partial;
  fs::copy(path("files/motor_task.json"), partial / "motor_task.json");
  EXPECT_NE(inspect(partial.path()).find("train_batches: missing"), std::string::npos);
}

TEST_F(Inspect, Dictionaries) {
  const std::string flat = inspect(tutorial_path("clmbr_model/dictionary.msgpack"));
  EXPECT_NE(flat.find("flat dictionary"), std::string::npos) << flat;
  expect_line(flat, "tokens", "128");
  const std::string ours = inspect(tutorial_path("motor_model/dictionary.msgpack"));
  EXPECT_NE(ours.find("hierarchical dictionary"), std::string::npos) << ours;
  expect_line(ours, "mean age", ".* (days|years), deviation .* (days|years)");
}

TEST_F(Inspect, Bundles) {
  const std::string motor = inspect(tutorial_path("motor_model"));
  expect_line(motor, "hidden size", "32");
  expect_line(motor, "vocabulary", "300 tokens, hierarchical");
  expect_line(motor, "layers", "2, hawk and attention in turn");
  expect_line(motor, "head", "MOTOR, 295 tasks x 8 time bins");
  const std::string clmbr = inspect(tutorial_path("clmbr_model"));
  expect_line(clmbr, "vocabulary", "128 tokens, flat");
  expect_line(clmbr, "layers", "2, attention");
  expect_line(clmbr, "head", "CLMBR, 64 codes");
  const std::string ours = inspect(path("model"));
  EXPECT_NE(ours.find("model bundle"), std::string::npos) << ours;
  EXPECT_EQ(ours.find("missing"), std::string::npos) << ours;
  expect_line(ours, "hidden size", "32");
  const std::string tensors = inspect(path("model/model.safetensors"));
  expect_line(tensors, "tensors", "[1-9][0-9]*");
  expect_line(tensors, "task_model.final_layer.weight", "F32 128 x 32");
}

TEST_F(Inspect, Checkpoints) {
  const std::string text = inspect(path("output/checkpoint-2"));
  EXPECT_NE(text.find(": checkpoint"), std::string::npos) << text;
  expect_line(text, "step", "2");
  expect_line(text, "best_step", "[12]");
  expect_line(text, "best loss", "[0-9.e+-]+");
  EXPECT_EQ(text.find("missing"), std::string::npos) << text;
}

TEST_F(Inspect, LabelsAndFeatures) {
  const std::string labels = inspect(tutorial_path("labels.parquet"));
  expect_line(labels, "labels", "80");
  expect_line(labels, "value above 0", "31 \\(38.[78] %\\)");
  const std::string features = inspect(path("embeddings"));
  expect_line(features, "rows", "80");
  expect_line(features, "width", "32");
  expect_line(features, "skipped labels", "0");
  EXPECT_EQ(features, inspect(path("embeddings/features.parquet")));
}

TEST_F(Inspect, OtherTables) {
  const std::string text = inspect(tutorial_path("meds/data/0.parquet"));
  expect_line(text, "rows", "1,525");
  expect_line(text, "code", ".*string.*");
}

TEST_F(Inspect, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(inspect(path("no such thing")), FileError);
  const std::string text_file = path("notes.txt");
  std::ofstream(text_file) << "notes";
  EXPECT_THROW(inspect(text_file), ConfigError);
  const auto damaged = [](const std::string& name) {
    const std::string file = path(name);
    std::ofstream(file) << "damaged";
    return file;
  };
  EXPECT_THROW(inspect(damaged("a.safetensors")), FileError);
  EXPECT_THROW(inspect(damaged("a.msgpack")), FileError);
  EXPECT_THROW(inspect(damaged("motor_task.json")), FileError);
  EXPECT_THROW(inspect(damaged("a.parquet")), DataError);
}

}  // namespace
}  // namespace sequela
