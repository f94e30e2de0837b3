#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sequela/core/stopwatch.h"
#include "sequela/distributed/world.h"
#include "sequela/train/checkpoint.h"
#include "sequela/train/optimizer_health.h"
#include "sequela/train/run_log.h"
#include "sequela/train/train_options.h"
#include "sequela/train/trainable.h"

namespace sequela {

// What a run says of its steps and evaluations (run_log.h), on the first rank; and what it measures
// of the steps between two log lines: their speed, how it compares to the machine's, and what ranks
// send one another and wait.
class StepJournal {
 public:
  // Refers to all of them.
  StepJournal(const Trainable& model, const TrainOptions& options, at::Device device, World& world);

  // Takes over the log of a run that goes on.
  void resume(const TrainState& state);

  // Speeds are of the time from here on.
  void begin(const TrainState& state);
  // That a rank took for its part of a step.
  void add_seconds(size_t rank, double seconds) { rank_seconds_[rank] += seconds; }

  // Adds the line of the step that is done, with its speeds, the optimizer's health and the ranks'
  // figures. Warns of starved parameters, and of ranks that made the others wait.
  void add_step(const TrainState& state, StepLog entry, const std::vector<KindHealth>& health);
  void add_evaluation(const EvaluationLog& entry);

  // Spent on measuring the machine: outside the run's clock.
  double seconds_apart() const { return seconds_apart_; }

 private:
  double share_of_gemm_rate(double tokens_per_second);
  Figures rank_figures(const TrainState& state) const;

  const Trainable& model_;
  const TrainOptions& options_;
  const at::Device device_;
  World& world_;
  std::unique_ptr<RunLog> log_;  // the first rank's
  double gemm_rate_ = 0;         // 0: not measured yet
  double seconds_apart_ = 0;
  std::vector<double> rank_seconds_;  // for the steps since begin()
  int64_t first_step_ = 0;
  int64_t first_token_ = 0;
  World::Traffic first_traffic_;
  Stopwatch watch_;
};

}  // namespace sequela
