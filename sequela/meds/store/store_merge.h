#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sequela/meds/store/gather.h"
#include "sequela/meds/store/shard_file.h"
#include "sequela/meds/store/store_index.h"

namespace sequela {

// Calls visit for all subjects of all shards by ascending id, those of one id by shard.
void merge_subjects(const std::vector<ShardFile>& shards,
                    const std::function<void(const SubjectPlace&)>& visit);
// The same, but of several places of one id only the last is visited.
void merge_last_subjects(const std::vector<ShardFile>& shards,
                         const std::function<void(const SubjectPlace&)>& visit);

// Joins the string tables of shards: add() all of them, sort(), then map_of() each. Memory goes
// with the distinct strings, whose bytes stay in the shards.
class StringMerger {
 public:
  // Whether a local string counts; one that does not is mapped to -1.
  using IsUsed = std::function<bool(int32_t local)>;

  void add(const StringView& table, const IsUsed& is_used);
  void sort();
  // The distinct strings, sorted bytewise; views on the shards.
  const std::vector<std::string_view>& texts() const { return texts_; }
  // Where each local string is among them.
  std::vector<int32_t> map_of(const StringView& table, const IsUsed& is_used) const;

 private:
  std::unordered_map<std::string_view, int32_t> ids_;
  std::vector<std::string_view> texts_;
};

}  // namespace sequela
