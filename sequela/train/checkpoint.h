#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sequela/train/optimizer.h"
#include "sequela/train/trainable.h"

namespace sequela {

// Where a run stands, beside its weights and moments. All counters are exact, so that a resumed run
// repeats the uninterrupted one bit for bit.
struct TrainState {
  int64_t step = 0;  // optimizer steps done
  int64_t epoch = 0;
  int64_t position = 0;  // batches consumed in this epoch
  int64_t micro_batch =
      0;  // batches accumulated towards the next step; > 0: gradients are stored too
  int64_t num_events = 0;    // of those batches
  bool is_evaluated = true;  // the evaluation due at `step` was done
  int64_t best_step = -1;    // -1 = none yet
  double best_loss = 0;
  double best_figure = 0;  // if one is selected (TrainMonitor): at best_step
  int64_t evals_without_gain = 0;
  double loss_sum = 0;  // since the last log line
  int64_t loss_count = 0;
  int64_t num_tokens = 0;  // of the whole run
  bool is_finished = false;

  // Notes the outcome of an evaluation at `step`; whether it is the best so far: by the loss, or,
  // if there is one, by the figure that is selected (the higher, the better).
  bool take_result(double loss, std::optional<double> selected);
};

// Writes folder/checkpoint-<step>: config.json, model.safetensors, optimizer.safetensors,
// trainer_state.json and, in the middle of an accumulation, gradients.safetensors. Appears when
// complete. `run_key` ties it to the run's options and data.
void write_checkpoint(const std::string& folder, const std::string& run_key,
                      const TrainState& state, Trainable& model, const Optimizer& optimizer);

// Steps of the checkpoints in a folder, ascending.
std::vector<int64_t> list_checkpoints(const std::string& folder);
std::string checkpoint_path(const std::string& folder, int64_t step);

// Restores the newest checkpoint, if there is one. ConfigError if it belongs to a run with other
// options or data; FileError if it is damaged.
std::optional<TrainState> read_newest_checkpoint(const std::string& folder,
                                                 const std::string& run_key, Trainable& model,
                                                 Optimizer& optimizer);

// Replaces the model's weights by those of a checkpoint.
void read_checkpoint_weights(const std::string& checkpoint, Trainable& model);
void read_checkpoint_weights(const std::string& checkpoint, Motor& model);

// Removes all but the `keep` newest checkpoints and that of `best_step`.
void prune_checkpoints(const std::string& folder, int64_t keep, int64_t best_step);

}  // namespace sequela
