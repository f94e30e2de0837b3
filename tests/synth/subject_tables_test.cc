#include "sequela/synth/subject_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "sequela/synth/shards.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

// Two whole blocks and the start of a third.
constexpr int64_t kNumSubjects = 20'050;

TEST(Shards, HoldEachSubjectOnceInItsSplit) {
  std::vector<int64_t> all;
  std::map<std::string, int64_t> files;
  for (int64_t i = 0; i < num_synth_shards(kNumSubjects); ++i) {
    const SynthShard shard = plan_shard(i, kNumSubjects);
    if (shard.subject_ids.empty()) continue;
    EXPECT_LE(shard.subject_ids.size(), 1'000u);
    EXPECT_TRUE(std::ranges::is_sorted(shard.subject_ids));
    for (const int64_t id : shard.subject_ids)
      EXPECT_TRUE(shard.path.starts_with(kSynthSplits[synth_split_of(id)])) << id;
    EXPECT_TRUE(files.emplace(shard.path, i).second) << shard.path;
    all.insert(all.end(), shard.subject_ids.begin(), shard.subject_ids.end());
  }
  std::ranges::sort(all);
  std::vector<int64_t> wanted(kNumSubjects);
  std::iota(wanted.begin(), wanted.end(), 1);
  EXPECT_EQ(all, wanted);
  EXPECT_EQ(files.size(), 23u);
  EXPECT_TRUE(files.contains("train/16.parquet") && files.contains("tuning/2.parquet"));
}

// A label for each subject; the shards of blocks come mixed.
TEST(SubjectTables, AreInTheOrderOfSubjects) {
  const TestFolder folder;
  SubjectTables tables(folder.path(), Flares::no);
  const int64_t num_shards = num_synth_shards(kNumSubjects);
  for (int64_t i = 0; i < num_shards; ++i) {
    const int64_t shard = i * 7 % num_shards;  // each once
    SynthRows rows;
    for (const int64_t id : plan_shard(shard, kNumSubjects).subject_ids) {
      rows.subjects.push_back({.num_events = 2});
      rows.subjects.back().person.id = id;
      rows.labels.push_back({.subject_id = id, .task = SynthTask::readmission_30d});
    }
    tables.add(shard, std::move(rows));
  }
  const SynthReport report = tables.finish();
  EXPECT_EQ(report.num_subjects, kNumSubjects);
  EXPECT_EQ(report.num_events, 2 * kNumSubjects);
  EXPECT_EQ(report.num_shards, 23);
  for (const char* table : {"meds/metadata/subject_splits", "labels", "labels/readmission_30d",
                            "truth/subjects", "truth/label_probabilities"}) {
    ParquetReader reader(folder / std::string(table) + ".parquet");
    EXPECT_EQ(reader.num_row_groups(), 3) << table;
    int64_t next = 1;
    reader.read({reader.require_column("subject_id", {ColumnType::int64})},
                [&](const RowBatch& batch) {
                  for (int64_t i = 0; i < batch.num_rows; ++i)
                    EXPECT_EQ(batch.columns[0].int64s[i], next++) << table;
                });
    EXPECT_EQ(next, kNumSubjects + 1) << table;
  }
}

}  // namespace
}  // namespace sequela
