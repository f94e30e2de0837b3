#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/train/schedule.h"

namespace sequela {

// Parameters whose names hold `name_part` learn at learning_rate * learning_rate_scale; where
// several groups fit, the first counts. (A frozen parameter is one that the model does not list.)
struct ParameterGroup {
  std::string name_part;
  double learning_rate_scale = 1;
};

// What a step's gradient is the mean over. Reported losses are always means of the first kind.
//   mean    each batch's loss is the mean over its labels x bins x tasks, a step the mean over its
//           batches: what femr does. The gradient is as small as events are rare.
//   events  a step's gradient is that of the summed cost of all its batches, divided by the number
//           of their events: its size depends neither on how many tasks there are nor on how rare.
enum class LossScale { mean, events };

// adamw: on all parameters. muon: on the matrices (muon.h), AdamW on the rest.
enum class OptimizerKind { adamw, muon };

// How gradients travel between ranks; sums are float32. bf16: half the bytes, and weights that
// depend on the number of ranks.
enum class SentAs { fp32, bf16 };

// How to train; the defaults are the numbers of MOTOR's pretraining recipe (docs/design.md, section
// 9; recipe.h has others).
struct TrainOptions {
  std::string folder;             // checkpoint-*, runs/, final/ go here
  std::string name = "pretrain";  // of the run in progress reports
  double learning_rate = 1e-4;    // at the end of the warm-up
  Schedule schedule = Schedule::linear;
  LossScale loss_scale = LossScale::mean;
  OptimizerKind optimizer = OptimizerKind::adamw;
  double muon_scale = 4;  // Muon's learning rate over AdamW's
  double muon_momentum = 0.9;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;       // decoupled (AdamW), on Parameter::is_decayed ones
  double max_gradient_norm = 1.0;  // 0 = no clipping
  int64_t warmup_steps = 500;
  int64_t epochs = 30;
  int64_t max_steps = 0;    // optimizer steps; 0 = epochs decide
  int64_t accumulate = 32;  // batches per optimizer step, over all ranks
  int64_t lanes = 4;  // of a step: the same weights for any number of ranks up to it (step_lanes.h)
  SentAs gradients_as = SentAs::fp32;
  int64_t eval_every = 500;  // optimizer steps; also the distance of checkpoints
  // Whether the weights that a fresh run starts from are evaluated, too, and so can be its best.
  bool evaluates_start = false;
  int64_t patience = 5;          // evaluations without a better loss before the run ends; 0 = never
  int64_t log_every = 100;       // optimizer steps
  int64_t keep_checkpoints = 2;  // newest ones, besides the best
  uint64_t seed = 42;            // of the order of batches
  std::vector<ParameterGroup> groups;

  void validate() const;  // ConfigError
};

// "linear", "cosine" or "constant"; "mean" or "events"; "adamw" or "muon". ConfigError for other
// words.
Schedule to_schedule(const std::string& text);
const char* to_text(Schedule schedule);
LossScale to_loss_scale(const std::string& text);
const char* to_text(LossScale loss_scale);
OptimizerKind to_optimizer_kind(const std::string& text);
SentAs to_sent_as(const std::string& text);  // "fp32" or "bf16"
const char* to_text(SentAs sent_as);
const char* to_text(OptimizerKind optimizer);

}  // namespace sequela
