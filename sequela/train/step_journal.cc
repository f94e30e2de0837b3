#include "sequela/train/step_journal.h"

#include <algorithm>

#include "sequela/train/gemm_rate.h"
#include "sequela/train/step_exchange.h"

namespace sequela {

StepJournal::StepJournal(const Trainable& model, at::Device device, World& world)
    : model_(model), device_(device), world_(world), rank_seconds_(world.size()) {}

void StepJournal::begin(const TrainState& state) {
  watch_ = {};
  first_token_ = state.num_tokens;
  first_step_ = state.step;
  first_traffic_ = world_.traffic();
  std::ranges::fill(rank_seconds_, 0.0);
}

void StepJournal::fill(const TrainState& state, StepLog& entry) {
  const auto tokens = static_cast<double>(state.num_tokens - first_token_);
  entry.tokens_per_second = tokens / std::max(1e-9, watch_.seconds());
  const Figures of_ranks = rank_figures(state);
  entry.figures.insert(entry.figures.end(), of_ranks.begin(), of_ranks.end());
  entry.mfu = share_of_gemm_rate(entry.tokens_per_second);
}

// What this rank sent since begin(), and how long it waited for others.
Figures StepJournal::rank_figures(const TrainState& state) const {
  if (world_.is_alone()) return {};
  const World::Traffic now = world_.traffic();
  const auto num_steps = static_cast<double>(state.step - first_step_);
  const double waited = now.seconds_waited - first_traffic_.seconds_waited;
  const auto sent = static_cast<double>(now.bytes_sent - first_traffic_.bytes_sent);
  return {{"ranks/bytes_sent_per_step", sent / num_steps, ""},
          {"ranks/share_of_time_waiting", waited / std::max(1e-9, watch_.seconds()), ""}};
}

// The rate is measured at the first log line.
double StepJournal::share_of_gemm_rate(double tokens_per_second) {
  if (model_.flops_per_token() == 0) return 0;
  if (gemm_rate_ == 0) {
    const Stopwatch watch;
    gemm_rate_ = measure_gemm_rate(device_, model_.precision());
    seconds_apart_ += watch.seconds();
  }
  return tokens_per_second * model_.flops_per_token() / (gemm_rate_ * world_.size());
}

std::string StepJournal::slow_ranks(const TrainState& state) const {
  return sequela::slow_ranks(rank_seconds_, state.step - first_step_);
}

}  // namespace sequela
