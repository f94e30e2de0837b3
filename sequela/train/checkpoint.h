#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sequela/distributed/world.h"
#include "sequela/train/gradient_sums.h"
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
  // The same three before the batches of a step that is not complete.
  double loss_sum_before = 0;
  int64_t loss_count_before = 0;
  int64_t num_tokens_before = 0;
  bool is_finished = false;

  // Notes the outcome of an evaluation at `step`; whether it is the best so far: by the loss, or,
  // if there is one, by the figure that is selected (the higher, the better).
  bool take_result(double loss, std::optional<double> selected);

  // A new step begins; and back to its begin.
  void begin_step();
  void drop_step();
};

// What a checkpoint holds beside the state. Refers to all of it.
struct TrainParts {
  Trainable& model;
  Optimizer& optimizer;
  GradientSums& sums;
  World& world;
};

// Writes folder/checkpoint-<step>: config.json, model.safetensors, optimizer.safetensors,
// trainer_state.json and, in the middle of an accumulation, gradients.safetensors. Of several ranks
// each writes shards, model-00002-of-00004.safetensors beside model.safetensors.index.json, and the
// same for the optimizer. Appears when complete; if one rank fails, on no rank. `run_key` ties it
// to the run's options and data.
void write_checkpoint(const std::string& folder, const std::string& run_key,
                      const TrainState& state, const TrainParts& parts);

// Steps of the checkpoints in a folder, ascending.
std::vector<int64_t> list_checkpoints(const std::string& folder);
std::string checkpoint_path(const std::string& folder, int64_t step);

// Restores the newest checkpoint, of any number of ranks, if there is one. ConfigError if it
// belongs to a run with other options or data; FileError if it is damaged. In the middle of a step
// goes on only a rank that is alone; several begin the step again.
std::optional<TrainState> read_newest_checkpoint(const std::string& folder,
                                                 const std::string& run_key,
                                                 const TrainParts& parts);

// Replaces the model's weights by those of a checkpoint.
void read_checkpoint_weights(const std::string& checkpoint, Trainable& model);
void read_checkpoint_weights(const std::string& checkpoint, Motor& model);

// Removes all but the `keep` newest checkpoints and that of `best_step`.
void prune_checkpoints(const std::string& folder, int64_t keep, int64_t best_step);

}  // namespace sequela
