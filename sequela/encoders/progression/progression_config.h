#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/nn/parameters.h"

namespace sequela {

// Sizes of an LSTMProgressionModel. Names and defaults are those of its Python form.
struct ProgressionConfig {
  int64_t vocab_size = 0;  // ids 0 .. vocab_size - 1; 0 is padding
  int64_t code_embed_dim = 128;
  int64_t visit_embed_dim = 256;
  int64_t hidden_dim = 512;
  int64_t num_stages = 5;
  int64_t num_layers = 2;  // of the LSTM over visits
  double dropout = 0.1;

  void validate() const;  // ConfigError

  // Names and shapes of all parameters: encoder.{code_embeddings, visit_lstm, visit_projection,
  // sequence_lstm}, stage_classifier, time_to_progression. Gates are stacked in torch's order i, f,
  // g, o.
  std::vector<ParameterShape> parameter_shapes() const;
  int64_t num_parameters() const;

  // config.json with model_type "lstm_progression". read: untrusted; FileError, ConfigError.
  static ProgressionConfig read(const std::string& path);
  std::string to_json() const;
};

// How one size of the model is meant to be trained.
struct ProgressionPreset {
  ProgressionConfig config;
  int64_t max_visits = 0;  // of a patient, the most recent are kept
  int64_t max_codes_per_visit = 0;
  int64_t batch_size = 0;  // patients
  int64_t accumulate = 1;  // batches per optimizer step
  bool use_bf16 = true;    // matrix products
  bool use_checkpoint = false;
};

// "small" (a laptop), "medium" (a GPU of 24 GB), "large" (40 GB and more). vocab_size 0 takes the
// preset's own: 10,000, 20,000, 50,000. ConfigError for another name.
ProgressionPreset progression_preset(const std::string& name, int64_t vocab_size = 0);

}  // namespace sequela
