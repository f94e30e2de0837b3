#pragma once

#include <string>
#include <vector>

#include "sequela/batch/folder.h"
#include "sequela/synth/outbreak_truth.h"
#include "sequela/train/motor_training.h"

namespace sequela {

// How much of what can be known a model knows, on records that synth made: its gain over constant
// hazards beside that of the truth's own hazards. It looks at the planted diseases that are tasks,
// at labels before their outbreak: there the next event of the task is the outbreak, whose hazard
// is known (outbreak_truth.h). All other tasks depend on visits, whose hazards at a label are not
// written down, and do not count. Constants are the best rate of each (disease, bin) over such
// labels of the training side.
//
//   eval/truth/gain        of the truth, nats per event
//   eval/truth/model_gain  of the model, on the same cells
//   eval/truth/share       their ratio: 1 = the truth itself
//
// The truth knows what no record shows (frailty, the beginning of a prodrome), so that 1 is out of
// reach.
class TruthYardstick : public ValidationYardstick {
 public:
  // ConfigError if no planted disease is among the codes.
  TruthYardstick(const std::string& truth_folder, const std::vector<std::string>& codes,
                 const std::vector<double>& bin_edges, const BatchFolder& train_batches,
                 int num_threads);

  at::Tensor tasks() const override { return tasks_S_; }
  void start() override { sums_ = {}; }
  void add(const MotorBatch& batch, const at::Tensor& cost_C,
           const at::Tensor& log2_rates_LKS) override;
  Figures finish() override;

 private:
  struct Sums {
    double truth = 0, model = 0, constant = 0;  // costs
    int64_t events = 0;
  };
  // One task at one label before its outbreak.
  struct Cell {
    int64_t label, place;  // place in tasks()
    Outlook outlook;
    double seconds;
    bool is_event;
  };
  std::vector<Cell> cells_of(const MotorBatch& batch) const;
  void fit_constants(const BatchFolder& train_batches, int num_threads);
  double seconds_in(double seconds, size_t bin) const;

  const OutbreakTruth truth_;
  const std::vector<double> bin_edges_;
  std::vector<DiseaseId> diseases_;  // by place
  std::vector<int32_t> place_of_;    // by task, -1 = not among them
  at::Tensor tasks_S_;
  std::vector<double> constant_rates_;  // per second, [place][bin]
  Sums sums_;
};

}  // namespace sequela
