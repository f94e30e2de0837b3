#pragma once

#include <cstdint>
#include <string>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/progression/named_tensors.h"

namespace sequela {

// A pre-trained model's folder, as save_pretrained of transformers or cehrbert writes it, or as
// Med-BERT's users have it.
struct BertFolder {
  std::string path;
  BertConfig config;
  NamedTensors weights;  // float32; names as bert_model.h says, heads included
  bool has_pooler() const;
  bool has_mlm_head() const;
};

// Opens a folder of config.json and weights in any form that open_weight_folder knows. Names are
// normalised: with or without the prefix "bert." (or "cehrbert."), LayerNorm.gamma and beta,
// TensorFlow's names and transposed kernels; position_ids and a tied decoder are left out. float32
// tensors are views of the memory-mapped file, read-only; float16 and bfloat16 are widened.
//
// Throws FileError for a missing folder or file, a tensor that is missing or has not the shape that
// config.json says (it names the tensor), weights of another architecture.
BertFolder open_bert_folder(const std::string& path);

// Throws FileError unless a vocabulary of `num_codes` (its highest id + 1) fits the word
// embeddings: not more codes than rows. The remedy is resize_vocabulary.
void check_vocabulary_fits(const BertFolder& folder, int64_t num_codes);

// Writes config.json and model.safetensors as transformers (and cehrbert) read them, tied decoder
// left out, atomically.
void write_bert_folder(const std::string& path, const BertConfig& config,
                       const NamedTensors& weights);

// The same two files into a folder that is there; the weights must fit.
void write_bert_files(const std::string& folder, const BertConfig& config,
                      const NamedTensors& weights);

// Random weights for training from scratch: normal(0, initializer_range), norms 1 and 0, biases 0;
// the MLM head (and the value head if the config has one) included. Same seed, same weights.
NamedTensors random_bert_weights(const BertConfig& config, uint64_t seed);

}  // namespace sequela
