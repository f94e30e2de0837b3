#pragma once

#include <cstdint>
#include <string>

namespace sequela {

// How to train; the defaults are the numbers of MOTOR's pretraining recipe (design.md, section 10).
struct TrainOptions {
  std::string folder;           // checkpoint-*, runs/, final/ go here
  double learning_rate = 1e-4;  // at the end of the warm-up
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;       // decoupled (AdamW), on Parameter::is_decayed ones
  double max_gradient_norm = 1.0;  // 0 = no clipping
  int64_t warmup_steps = 500;
  int64_t epochs = 30;
  int64_t max_steps = 0;         // optimizer steps; 0 = epochs decide
  int64_t accumulate = 32;       // batches per optimizer step
  int64_t eval_every = 500;      // optimizer steps; also the distance of checkpoints
  int64_t patience = 5;          // evaluations without a better loss before the run ends; 0 = never
  int64_t log_every = 100;       // optimizer steps
  int64_t keep_checkpoints = 2;  // newest ones, besides the best
  uint64_t seed = 42;            // of the order of batches

  void validate() const;  // ConfigError
};

}  // namespace sequela
