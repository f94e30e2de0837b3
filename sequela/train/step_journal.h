#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/stopwatch.h"
#include "sequela/distributed/world.h"
#include "sequela/train/checkpoint.h"
#include "sequela/train/optimizer_health.h"
#include "sequela/train/run_log.h"
#include "sequela/train/trainable.h"

namespace sequela {

// Measures the steps between two log lines: their speed, how it compares to the machine's, and what
// ranks send one another and wait.
class StepJournal {
 public:
  // Refers to both.
  StepJournal(const Trainable& model, at::Device device, World& world);

  // Speeds are of the time from here on.
  void begin(const TrainState& state);
  // That a rank took for its part of a step.
  void add_seconds(size_t rank, double seconds) { rank_seconds_[rank] += seconds; }

  // The line's speeds, and the ranks' figures after those that it has.
  void fill(const TrainState& state, StepLog& entry);
  // Warning of who made the others wait; empty if nobody did.
  std::string slow_ranks(const TrainState& state) const;

  // Spent on measuring the machine: outside the run's clock.
  double seconds_apart() const { return seconds_apart_; }

 private:
  double share_of_gemm_rate(double tokens_per_second);
  Figures rank_figures(const TrainState& state) const;

  const Trainable& model_;
  const at::Device device_;
  World& world_;
  double gemm_rate_ = 0;  // 0: not measured yet
  double seconds_apart_ = 0;
  std::vector<double> rank_seconds_;  // for the steps since begin()
  int64_t first_step_ = 0;
  int64_t first_token_ = 0;
  World::Traffic first_traffic_;
  Stopwatch watch_;
};

}  // namespace sequela
