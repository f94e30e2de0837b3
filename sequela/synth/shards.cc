#include "sequela/synth/shards.h"

#include <algorithm>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr int64_t kTrainShards = 8, kSubjectsPerShard = kSubjectsPerBlock / kShardsPerBlock;

}  // namespace

size_t synth_split_of(int64_t subject_id) {
  const int64_t remainder = subject_id % 10;
  return remainder == 0 ? 2 : remainder == 1 ? 1 : 0;
}

int64_t num_synth_shards(int64_t num_subjects) {
  return (num_subjects + kSubjectsPerBlock - 1) / kSubjectsPerBlock * kShardsPerBlock;
}

SynthShard plan_shard(int64_t shard, int64_t num_subjects) {
  const int64_t block = shard / kShardsPerBlock, place = shard % kShardsPerBlock;
  const bool is_train = place < kTrainShards;
  const size_t split = is_train ? 0 : static_cast<size_t>(place - kTrainShards + 1);
  const int64_t number = is_train ? block * kTrainShards + place : block;
  SynthShard plan{str(kSynthSplits[split], "/", number, ".parquet"), {}};
  const int64_t last = std::min(num_subjects, (block + 1) * kSubjectsPerBlock);
  int64_t before = is_train ? place * kSubjectsPerShard : 0;  // of the split, in shards before
  for (int64_t id = block * kSubjectsPerBlock + 1; id <= last; ++id) {
    if (synth_split_of(id) != split || before-- > 0) continue;
    plan.subject_ids.push_back(id);
    if (plan.subject_ids.size() == kSubjectsPerShard) break;
  }
  return plan;
}

}  // namespace sequela
