#include "sequela/meds/store_merge.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>

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

MergedStrings merge_strings(const std::vector<StringView>& tables,
                            const std::function<bool(size_t, int32_t)>& is_used) {
  MergedStrings merged;
  std::unordered_map<std::string_view, int32_t> ids;
  for (size_t s = 0; s < tables.size(); ++s) {
    std::vector<int32_t>& map = merged.maps.emplace_back(tables[s].size(), -1);
    for (int32_t i = 0; i < tables[s].size(); ++i) {
      if (is_used && !is_used(s, i)) continue;
      const auto [entry, is_new] = ids.try_emplace(tables[s][i], static_cast<int32_t>(ids.size()));
      if (is_new) merged.texts.push_back(tables[s][i]);
      map[i] = entry->second;
    }
    SEQUELA_CHECK(ids.size() < size_t{1} << 31);
  }
  std::vector<int32_t> order(merged.texts.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](int32_t a, int32_t b) { return merged.texts[a] < merged.texts[b]; });
  std::vector<int32_t> ranks(order.size());
  std::vector<std::string_view> sorted(order.size());
  for (size_t rank = 0; rank < order.size(); ++rank) {
    ranks[order[rank]] = static_cast<int32_t>(rank);
    sorted[rank] = merged.texts[order[rank]];
  }
  merged.texts = std::move(sorted);
  for (auto& map : merged.maps) {
    for (int32_t& id : map) id = id < 0 ? -1 : ranks[id];
  }
  return merged;
}

}  // namespace sequela
