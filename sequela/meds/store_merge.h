#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "sequela/meds/gather.h"
#include "sequela/meds/shard_file.h"
#include "sequela/meds/store_index.h"

namespace sequela {

// Calls visit for all subjects of all shards by ascending id, those of one id by shard.
void merge_subjects(const std::vector<ShardFile>& shards,
                    const std::function<void(const SubjectPlace&)>& visit);
// The same, but of several places of one id only the last is visited.
void merge_last_subjects(const std::vector<ShardFile>& shards,
                         const std::function<void(const SubjectPlace&)>& visit);

// The distinct strings of the shards' tables, and where each local string is among them.
struct MergedStrings {
  std::vector<std::string_view> texts;     // sorted bytewise, views on the shards
  std::vector<std::vector<int32_t>> maps;  // by shard: local -> index into texts, -1 = not used
};
// `is_used` may be empty; else only local strings i of shard s with is_used(s, i) count.
MergedStrings merge_strings(const std::vector<StringView>& tables,
                            const std::function<bool(size_t shard, int32_t local)>& is_used);

}  // namespace sequela
