#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/distributed/world.h"
#include "sequela/train/epoch_order.h"
#include "sequela/train/evaluate.h"
#include "sequela/train/train_options.h"
#include "sequela/train/trainable.h"

namespace sequela {

struct TrainReport {
  int64_t steps = 0;  // optimizer steps of the whole run
  int64_t num_tokens = 0;
  double seconds = 0;  // of this call
  double tokens_per_second = 0;
  double best_loss = 0;  // NaN if nothing was evaluated
  int64_t best_step = -1;
  std::vector<std::pair<int64_t, double>> eval_losses;  // (step, loss) seen by this call
  Figures figures;                                      // of the last evaluation of this call
  bool is_finished = false;  // false: stopped by a signal, a checkpoint was written
  bool is_resumed = false;
};

// Trains `model` (docs/design.md, section 9), from the newest checkpoint in options.folder if there
// is one. At the end the model has the weights of the best evaluation. `run_key` is a digest
// of all that determines the run (data, model); it is stored in checkpoints and compared on resume.
// A stop signal writes a checkpoint and returns. A loss or gradient that is not finite throws
// DataError with the batch's number, after writing that batch to <folder>/non_finite.safetensors.
//
// Each evaluation also reports the model's own figures and those of `monitor` (also in
// <folder>/metrics.json; run_log.h); a run whose best checkpoint is picked by a figure says so in
// its key. Log lines report the optimizer's health by kind of parameter.
//
// All ranks of `world` call it with the same arguments, each with a model of its own with equal
// weights. They share a step's batches (step_lanes.h) and the optimizer's state (sharding.h), and
// return the same report. The first writes logs and asks the yardsticks of `monitor`. ConfigError
// if a step has fewer batches than there are ranks.
TrainReport train(Trainable& model, const TrainOptions& options, const std::string& run_key,
                  const TrainMonitor& monitor = {}, World& world = lone_world());

}  // namespace sequela
