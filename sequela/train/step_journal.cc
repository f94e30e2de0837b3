#include "sequela/train/step_journal.h"

#include <algorithm>
#include <string>

#include "sequela/core/log.h"
#include "sequela/train/gemm_rate.h"
#include "sequela/train/step_exchange.h"

namespace sequela {

StepJournal::StepJournal(const Trainable& model, const TrainOptions& options, at::Device device,
                         World& world)
    : model_(model),
      options_(options),
      device_(device),
      world_(world),
      rank_seconds_(world.size()) {
  if (world.is_first()) log_ = std::make_unique<RunLog>(options.folder);
}

void StepJournal::resume(const TrainState& state) {
  if (log_) log_->resume({state.step, state.is_evaluated});
}

void StepJournal::begin(const TrainState& state) {
  watch_ = {};
  first_token_ = state.num_tokens;
  first_step_ = state.step;
  first_traffic_ = world_.traffic();
  std::ranges::fill(rank_seconds_, 0.0);
}

void StepJournal::add_step(const TrainState& state, StepLog entry,
                           const std::vector<KindHealth>& health) {
  if (!log_) return;
  const auto tokens = static_cast<double>(state.num_tokens - first_token_);
  entry.tokens_per_second = tokens / std::max(1e-9, watch_.seconds());
  entry.figures = to_figures(health);
  const Figures of_ranks = rank_figures(state);
  entry.figures.insert(entry.figures.end(), of_ranks.begin(), of_ranks.end());
  entry.mfu = share_of_gemm_rate(entry.tokens_per_second);
  log_->add(entry);
  const std::string warning = starvation_warning(health, options_.epsilon);
  if (!warning.empty()) log_->warn_once(state.step, warning);
  const std::string slow = slow_ranks(rank_seconds_, state.step - first_step_);
  if (!slow.empty()) log_warning(slow);
}

void StepJournal::add_evaluation(const EvaluationLog& entry) {
  if (log_) log_->add_evaluation(entry);
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

}  // namespace sequela
