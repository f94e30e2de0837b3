#include "sequela/train/step_lanes.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace sequela {
namespace {

// A batch by its place in the step, with its tokens.
struct Item {
  size_t place = 0;
  int64_t tokens = 0;
};
using Items = std::vector<Item>;

void deal(Items items, int64_t num_lanes, std::vector<Items>& lanes) {
  if (num_lanes == 1) {
    std::ranges::sort(items, {}, &Item::place);
    lanes.push_back(std::move(items));
    return;
  }
  // The longest first, each to the half with fewer tokens a lane that has room left.
  const int64_t left_lanes = num_lanes / 2, right_lanes = num_lanes - left_lanes;
  const size_t left_room = items.size() * left_lanes / num_lanes;
  Items left, right;
  int64_t left_tokens = 0, right_tokens = 0;
  for (const Item& item : items) {
    const bool is_left_full = left.size() == left_room;
    const bool is_right_full = right.size() == items.size() - left_room;
    const bool is_left_shorter = left_tokens * right_lanes <= right_tokens * left_lanes;
    const bool goes_left = is_right_full || (!is_left_full && is_left_shorter);
    (goes_left ? left : right).push_back(item);
    (goes_left ? left_tokens : right_tokens) += item.tokens;
  }
  deal(std::move(left), left_lanes, lanes);
  deal(std::move(right), right_lanes, lanes);
}

}  // namespace

int64_t num_lanes_of(int64_t num_batches, int64_t asked, int num_ranks) {
  const auto for_ranks = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(num_ranks)));
  return std::min(num_batches, std::max(asked, for_ranks));
}

std::vector<std::vector<int64_t>> deal_lanes(
    const std::vector<int64_t>& batches, int64_t num_lanes,
    const std::function<int64_t(int64_t batch)>& num_tokens) {
  Items items;
  for (size_t i = 0; i < batches.size(); ++i) items.push_back({i, num_tokens(batches[i])});
  std::ranges::stable_sort(items, std::ranges::greater(), &Item::tokens);
  std::vector<Items> dealt;
  deal(std::move(items), num_lanes, dealt);
  std::vector<std::vector<int64_t>> lanes;
  for (const Items& lane : dealt) {
    lanes.emplace_back();
    for (const Item& item : lane) lanes.back().push_back(batches[item.place]);
  }
  return lanes;
}

}  // namespace sequela
