#include "sequela/meds/store/store_merge.h"

#include <algorithm>
#include <optional>
#include <queue>
#include <tuple>

#include "sequela/core/error.h"

namespace sequela {

void merge_subjects(const std::vector<ShardFile>& shards,
                    const std::function<void(const SubjectPlace&)>& visit) {
  auto is_after = [](const SubjectPlace& a, const SubjectPlace& b) {
    return std::tie(a.id, a.shard, a.row) > std::tie(b.id, b.shard, b.row);
  };
  std::priority_queue<SubjectPlace, std::vector<SubjectPlace>, decltype(is_after)> queue(is_after);
  for (uint32_t s = 0; s < shards.size(); ++s) {
    if (!shards[s].subjects.empty()) queue.push({shards[s].subjects[0].id, s, 0});
  }
  while (!queue.empty()) {
    SubjectPlace place = queue.top();
    queue.pop();
    const auto& subjects = shards[place.shard].subjects;
    // Most shards hold a range of ids of their own: run on while no other shard comes between.
    while (true) {
      visit(place);
      if (++place.row == subjects.size()) break;
      place.id = subjects[place.row].id;
      if (!queue.empty() && is_after(place, queue.top())) {
        queue.push(place);
        break;
      }
    }
  }
}

void merge_last_subjects(const std::vector<ShardFile>& shards,
                         const std::function<void(const SubjectPlace&)>& visit) {
  std::optional<SubjectPlace> last;
  merge_subjects(shards, [&](const SubjectPlace& place) {
    if (last && last->id != place.id) visit(*last);
    last = place;
  });
  if (last) visit(*last);
}

void StringMerger::add(const StringView& table, const IsUsed& is_used) {
  for (int32_t i = 0; i < table.size(); ++i) {
    if (is_used(i) && ids_.try_emplace(table[i], 0).second) texts_.push_back(table[i]);
  }
  SEQUELA_CHECK(texts_.size() < size_t{1} << 31);
}

void StringMerger::sort() {
  std::sort(texts_.begin(), texts_.end());
  for (size_t rank = 0; rank < texts_.size(); ++rank) {
    ids_[texts_[rank]] = static_cast<int32_t>(rank);
  }
}

std::vector<int32_t> StringMerger::map_of(const StringView& table, const IsUsed& is_used) const {
  std::vector<int32_t> map(table.size());
  for (int32_t i = 0; i < table.size(); ++i) map[i] = is_used(i) ? ids_.at(table[i]) : -1;
  return map;
}

}  // namespace sequela
