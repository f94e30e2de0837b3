#pragma once

#include <cstdint>
#include <string>

namespace sequela {

// What a BERT-family encoder is: the fields of a Hugging Face config.json that decide its numbers.
// Field names are the file's; defaults are those of transformers' BertConfig (of cehrbert's
// CehrBertConfig for the fields that only it has).
enum class BertKind { bert, cehr_bert };

struct BertConfig {
  BertKind kind = BertKind::bert;
  int64_t vocab_size = 30'522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3'072;
  std::string hidden_act = "gelu";  // gelu (by erf), gelu_new / gelu_pytorch_tanh, relu
  double layer_norm_eps = 1e-12;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;
  int64_t pad_token_id = 0;
  double hidden_dropout_prob = 0.1;  // training only
  double attention_probs_dropout_prob = 0.1;

  // CEHR-BERT only.
  int64_t n_time_embd = 16;
  bool include_value_prediction = false;
  bool use_sub_time_tokenization = false;

  int64_t head_size() const { return hidden_size / num_attention_heads; }

  // Reads config.json. `model_type` may be missing: a folder of CEHR-BERT is known by its weights'
  // names or its own fields. Untrusted: FileError names the file, ConfigError the key.
  static BertConfig read(const std::string& path);
  void validate() const;  // ConfigError
};

}  // namespace sequela
