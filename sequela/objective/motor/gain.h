#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sequela/objective/motor/cell_sums.h"
#include "sequela/train/motor_training.h"

namespace sequela {

// How much better a model is than constant hazards, in nats per event: (cost of the constants -
// cost of the model) / events, over all labels of the validation side, each label weighing the
// same. The constants are the best rate of each (task, bin) on the training side (cell_sums.h).
// Sums are float64.
//
//   eval/gain                       all tasks
//   eval/gain/{frequent,middle,rare}  thirds of the tasks by their events on the training side
//   eval/gain/vocabulary/X          tasks whose code begins with "X/"; the 16 with the most events,
//                                   the rest as "other"
//   eval/constant_loss              of the constants, as the validation loss is counted
//
// A group without an event on the validation side has no figure.
class GainYardstick : public ValidationYardstick {
 public:
  GainYardstick(const std::vector<std::string>& codes, const CellSums& train,
                const CellSums& validation);

  void start() override;
  void add(const MotorBatch& batch, const at::Tensor& cost_C,
           const at::Tensor& log2_rates_LKS) override;
  Figures finish() override;

 private:
  struct Group {
    std::string name;   // of the figure
    std::string label;  // in the log's line
    std::vector<int64_t> tasks;
  };
  void add_thirds(const CellSums& train);
  void add_vocabularies(const std::vector<std::string>& codes);
  int64_t events_of(const std::vector<int64_t>& tasks) const;

  const CellSums validation_;
  const std::vector<double> constant_costs_;
  std::vector<Group> groups_;
  std::vector<double> costs_;  // of the model, by task
};

}  // namespace sequela
