#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sequela {

// The subjects of one MEDS file. Ten consecutive shards hold kSubjectsPerBlock consecutive
// subjects.
struct SynthShard {
  std::string path;                  // below the data set's data folder
  std::vector<int64_t> subject_ids;  // ascending; empty past the last subject
};

inline constexpr int64_t kShardsPerBlock = 10, kSubjectsPerBlock = 10'000;
inline constexpr std::array kSynthSplits = {"train", "tuning", "held_out"};

// Index into kSynthSplits: eight of ten subjects train.
size_t synth_split_of(int64_t subject_id);

// Shards [0, num_synth_shards()) hold subjects 1 to num_subjects.
int64_t num_synth_shards(int64_t num_subjects);
SynthShard plan_shard(int64_t shard, int64_t num_subjects);

}  // namespace sequela
