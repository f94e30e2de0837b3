#include "sequela/pipeline/compare.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/random.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/safetensors.h"
#include "sequela/meds/dataset.h"
#include "sequela/run/folder_lock.h"
#include "sequela/synth/synth.h"
#include "tests/support/manifest_of.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

constexpr int64_t kWidth = 6;

// An encoder's folder: a vocabulary of every other code, and random embeddings.
void write_encoder(const std::string& codes_path, const std::string& folder) {
  std::filesystem::create_directories(folder);
  Json vocabulary = {{"[PAD]", 0}, {"[UNK]", 1}};
  ParquetReader reader(codes_path);
  int64_t row = 0, next_id = 2;
  reader.read({reader.require_column("code", {ColumnType::string})}, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i, ++row) {
      if (row % 2 == 0) vocabulary[std::string(batch.columns[0].text(i))] = next_id++;
    }
  });
  write_file(folder + "/vocab.json", json_text(vocabulary));
  std::vector<float> values;
  Random random(5);
  for (int64_t i = 0; i < next_id * kWidth; ++i) {
    values.push_back(static_cast<float>(random.normal()));
  }
  write_safetensors(folder + "/model.safetensors", {{"bert.embeddings.word_embeddings.weight",
                                                     DType::float32,
                                                     {next_id, kWidth},
                                                     std::as_bytes(std::span(values))}});
}

CompareOptions small_comparison(const TestFolder& folder) {
  CompareOptions options;
  options.meds = folder / "data/meds";
  for (const auto& entry : std::filesystem::directory_iterator(folder / "data/labels")) {
    if (options.labels.empty() || entry.path().string() < options.labels) {
      options.labels = entry.path().string();
    }
  }
  options.pretrained = folder / "encoder";
  options.num_seeds = 2;
  options.num_labels = {8, 20};
  options.visit_embed_dim = options.hidden_dim = 8;
  options.epochs = 1;
  options.min_steps = 4;
  options.num_resamples = 50;
  return options;
}

TEST(Compare, SetsAllMethodsSideBySideAndRepeats) {
  const TestFolder folder;
  SynthOptions records;
  records.num_subjects = 300;
  records.folder = folder / "data";
  synth(records);
  write_encoder(folder / "data/meds/metadata/codes.parquet", folder / "encoder");

  CompareOptions options = small_comparison(folder);
  options.out = folder / "out";
  const CompareReport report = compare(options);
  EXPECT_EQ(report.results.size(), 6u * 2);
  EXPECT_EQ(report.differences.size(), 7u * 2);
  EXPECT_GT(report.num_test_positive, 0);
  EXPECT_GT(report.coverage, 0.05);
  EXPECT_LT(report.coverage, 1);
  for (const CompareResult& result : report.results) {
    ASSERT_EQ(result.auroc_by_seed.size(), 2u);
    EXPECT_DOUBLE_EQ(result.auroc.value, (result.auroc_by_seed[0] + result.auroc_by_seed[1]) / 2);
    EXPECT_LE(result.auroc.low, result.auroc.high);
  }
  EXPECT_TRUE(std::filesystem::exists(options.out + "/compare.json"));
  EXPECT_NE(report.text().find("random start"), std::string::npos);
  EXPECT_EQ(artifact_of(options.out, "compare").at("files").size(), 2u);
  // Nothing is left behind but the tables, the manifest and the lock.
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(options.out)) {
    names.insert(entry.path().filename().string());
  }
  EXPECT_EQ(names,
            (std::set<std::string>{".lock", "compare.json", "compare.txt", "manifest.json"}));

  options.out = folder / "again";
  CompareReport again = compare(options);
  again.seconds = report.seconds;
  EXPECT_EQ(again.to_json(), report.to_json());
}

TEST(Compare, OneRunAtATime) {
  const TestFolder folder;
  CompareOptions options;
  options.meds = options.labels = options.pretrained = folder / "none";
  options.out = folder / "out";
  const FolderLock lock(options.out);
  EXPECT_THROW(compare(options), ConfigError);
}

TEST(Compare, BadOptionsAreNamed) {
  const TestFolder folder;
  CompareOptions options;
  EXPECT_THROW(compare(options), ConfigError);
  options.meds = options.labels = options.pretrained = folder / "none";
  options.out = folder / "out";
  EXPECT_THROW(compare(options), FileError);
  options.num_labels = {1};
  EXPECT_THROW(compare(options), ConfigError);
}

// Gives every subject of a part another name for it.
void rename_split(const std::string& meds, const std::string& from, const std::string& to) {
  const std::string path = meds + "/metadata/subject_splits.parquet";
  std::vector<int64_t> ids;
  std::vector<std::string> names;
  for (const SubjectSplitRow& row : read_subject_splits(path)) {
    ids.push_back(row.subject_id);
    names.push_back(row.split == from ? to : row.split);
  }
  write_parquet(path, {{"subject_id", ids, {}}, {"split", names, {}}});
}

TEST(Compare, SplitsOfOtherNamesAreNotTrainedOn) {
  const TestFolder folder;
  SynthOptions records;
  records.num_subjects = 300;
  records.folder = folder / "data";
  synth(records);
  write_encoder(folder / "data/meds/metadata/codes.parquet", folder / "encoder");
  CompareOptions options = small_comparison(folder);
  options.num_seeds = 2;
  options.num_labels = {8};
  options.has_trees = false;
  options.out = folder / "usual";
  const CompareReport usual = compare(options);

  rename_split(options.meds, "held_out", "test");
  rename_split(options.meds, "tuning", "Validation");
  options.out = folder / "other";
  const CompareReport other = compare(options);
  EXPECT_EQ(other.num_train, usual.num_train);
  EXPECT_EQ(other.num_validation, usual.num_validation);
  EXPECT_EQ(other.num_test, usual.num_test);

  rename_split(options.meds, "train", "set aside");
  options.out = folder / "none";
  EXPECT_THROW(compare(options), DataError);  // nothing is left to train on
}

}  // namespace
}  // namespace sequela
