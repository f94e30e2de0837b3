#pragma once

#include <string>
#include <vector>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/progression/named_tensors.h"

namespace sequela {

// The names and shapes of a BERT-family model's weights (see bert_model.h).

struct WeightShape {
  std::string name;
  std::vector<int64_t> shape;
};

// What every folder of this config must hold: embeddings and encoder layers.
std::vector<WeightShape> encoder_weight_shapes(const BertConfig& config);

// Heads that a folder may hold: pooler; MLM head and, if the config has it, value head.
std::vector<WeightShape> pooler_weight_shapes(const BertConfig& config);
std::vector<WeightShape> mlm_weight_shapes(const BertConfig& config);

// "bert.embeddings.word_embeddings.weight" or "bert.cehr_bert_embeddings.concept_embeddings.weight"
std::string word_embeddings_name(const BertConfig& config);

// "bert.encoder.layer.3."
std::string bert_layer_name(int64_t layer);

// The table of fixed sinusoids of CEHR-BERT, float32 [num_positions, n_time_embd].
at::Tensor sinusoid_positions(const BertConfig& config);

// FileError that names the first tensor that is missing or has another shape; heads are checked as
// far as they are there. `path` names the folder.
void check_bert_weights(const BertConfig& config, const NamedTensors& weights,
                        const std::string& path);

// A copy in memory of its own, every floating tensor requiring gradients but for fixed tables and
// running statistics. For fine-tuning a folder's (read-only) weights.
NamedTensors to_trainable(const NamedTensors& weights);
bool is_trainable(const std::string& name);

}  // namespace sequela
