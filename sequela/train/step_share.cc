#include "sequela/train/step_share.h"

#include <algorithm>

#include "sequela/distributed/world.h"
#include "sequela/train/step_lanes.h"

namespace sequela {
namespace {

StepShare share_of_step(const std::vector<std::vector<int64_t>>& lanes, int rank, int num_ranks) {
  StepShare share{.num_lanes = static_cast<int64_t>(lanes.size())};
  for (int r = 0; r < num_ranks; ++r) {
    const Share own = share_of(share.num_lanes, r, num_ranks);
    int64_t num_batches = 0;
    for (int64_t lane = own.first; lane < own.end; ++lane) {
      num_batches += static_cast<int64_t>(lanes[lane].size());
      if (r != rank) continue;
      share.batches.insert(share.batches.end(), lanes[lane].begin(), lanes[lane].end());
      share.lanes.insert(share.lanes.end(), lanes[lane].size(), lane);
    }
    share.num_batches += num_batches;
    share.most_batches = std::max(share.most_batches, num_batches);
  }
  return share;
}

}  // namespace

std::vector<StepShare> shares_of_steps(const std::vector<int64_t>& order, int64_t first,
                                       const TrainOptions& options, const Trainable& model,
                                       int rank, int num_ranks) {
  const auto num_tokens = [&](int64_t batch) { return model.num_tokens(batch); };
  const auto num_batches = static_cast<int64_t>(order.size());
  std::vector<StepShare> shares;
  for (int64_t start = first; start < num_batches; start += options.accumulate) {
    const int64_t end = std::min(num_batches, start + options.accumulate);
    const std::vector<int64_t> batches(order.begin() + start, order.begin() + end);
    const int64_t num_lanes = num_lanes_of(end - start, options.lanes, num_ranks);
    shares.push_back(share_of_step(deal_lanes(batches, num_lanes, num_tokens), rank, num_ranks));
  }
  return shares;
}

}  // namespace sequela
