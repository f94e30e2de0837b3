#pragma once

#include <string>
#include <vector>

#include "sequela/objective/motor/cell_sums.h"
#include "sequela/train/motor_training.h"

namespace sequela {

// Time-dependent concordance (evaluation/concordance.h) of the 50 tasks with the most events on the
// training side, by the model's own hazards at the labels of the validation side:
//
//   eval/concordance         mean of the tasks that have a pair
//   eval/concordance/CODE    each
//
// Memory: 1.8 KB a label at 8 bins. Of more than 131,072 labels a keyed hash takes about so many,
// all of whose pairs count.
class ConcordanceYardstick : public ValidationYardstick {
 public:
  static constexpr int64_t kMaxTasks = 50;
  static constexpr int64_t kMaxLabels = 131'072;

  ConcordanceYardstick(const std::vector<std::string>& codes, const std::vector<double>& bin_edges,
                       const CellSums& train, int64_t num_labels, int num_threads);

  at::Tensor tasks() const override { return tasks_S_; }
  void start() override;
  void add(const MotorBatch& batch, const at::Tensor& cost_C,
           const at::Tensor& log2_rates_LKS) override;
  Figures finish() override;

 private:
  struct TaskRows {
    int64_t task = 0;
    std::string code;
    std::vector<float> seconds;
    std::vector<uint8_t> is_event;
    std::vector<float> hazards;
  };
  void add_outcomes(const MotorTargets& targets, int64_t label);

  const std::vector<double> bin_edges_;
  const double kept_share_;  // of the labels
  const int num_threads_;
  at::Tensor tasks_S_;
  std::vector<TaskRows> rows_;     // by place in tasks()
  std::vector<int32_t> place_of_;  // by task, -1 = not among them
  uint64_t num_labels_seen_ = 0;
};

}  // namespace sequela
