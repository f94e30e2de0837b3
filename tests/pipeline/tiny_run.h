#pragma once

// Options of the smallest run on made-up records (FOLDER/synth) that has all parts.

#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "tests/support/test_folder.h"

namespace sequela {

inline PrepareOptions tiny_prepare_options(const TestFolder& folder) {
  PrepareOptions options;
  options.meds = folder / "synth/meds";
  options.athena = folder / "synth/athena";
  options.out = folder / "files";
  options.vocab_size = 2'048;
  options.num_tasks = 96;
  options.final_layer_size = 32;
  options.tokens_per_batch = 256;
  return options;
}

inline PretrainOptions tiny_pretrain_options(const TestFolder& folder, Precision precision) {
  PretrainOptions options;
  options.data = folder / "files";
  options.model = folder / "model";
  options.out = folder / "output";
  options.encoder.hidden_size = 64;
  options.encoder.intermediate_size = 96;
  options.encoder.n_heads = 2;
  options.encoder.n_layers = 2;
  options.train.max_steps = 3;
  options.train.accumulate = 2;
  options.train.warmup_steps = 1;
  options.train.learning_rate = 3e-3;
  options.train.eval_every = 3;
  options.precision = precision;
  options.device = "cpu";
  options.num_threads = 1;
  return options;
}

}  // namespace sequela
