#pragma once

#include <string>

#include "sequela/pipeline/features.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "tests/support/reference.h"

namespace sequela {

// Records of `synth`, the reference's or others, cut to a small vocabulary, few tasks and short
// batches.
inline PrepareOptions small_prepare(const std::string& out,
                                    const std::string& records = reference_path("motor/g60")) {
  PrepareOptions options;
  options.meds = records + "/meds";
  options.athena = records + "/athena";
  options.out = out;
  options.vocab_size = 1'024;
  options.num_tasks = 64;
  options.final_layer_size = 16;
  options.tokens_per_batch = 512;
  return options;
}

// Two steps of a tiny model on what small_prepare() made in `data`.
inline PretrainOptions small_pretrain(const std::string& data, const std::string& out,
                                      const std::string& model) {
  PretrainOptions options;
  options.data = data;
  options.out = out;
  options.model = model;
  options.encoder.hidden_size = 32;
  options.encoder.intermediate_size = 64;
  options.encoder.n_heads = 2;
  options.encoder.n_layers = 2;
  options.train.max_steps = 2;
  options.train.accumulate = 2;
  options.train.eval_every = 1;
  options.precision = Precision::fp32;
  options.device = "cpu";
  options.num_threads = 1;
  return options;
}

// Two steps of one batch, evaluated at the end alone.
inline PretrainOptions tiny_pretrain(const std::string& data, const std::string& out,
                                     const std::string& model) {
  PretrainOptions options = small_pretrain(data, out, model);
  options.encoder.intermediate_size = 48;
  options.train.accumulate = 1;
  options.train.warmup_steps = 1;
  options.train.eval_every = PretrainOptions().train.eval_every;
  return options;
}

// The labels of the tutorial through its flat model.
inline FeaturesOptions small_features(const std::string& out) {
  FeaturesOptions options;
  options.meds = tutorial_path("meds");
  options.model = tutorial_path("clmbr_model");
  options.labels = tutorial_path("labels.parquet");
  options.out = out;
  options.device = "cpu";
  return options;
}

}  // namespace sequela
