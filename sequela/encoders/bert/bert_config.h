#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sequela {

// bert: Hugging Face's BertModel (ClinicalBERT and Med-BERT too). cehr_bert: the cehrbert package's
// own embeddings in front of the same encoder.
enum class BertKind { bert, cehr_bert };

// gelu: by erf. gelu_tanh: its tanh approximation ("gelu_new", "gelu_pytorch_tanh").
enum class BertActivation { gelu, gelu_tanh, relu };

// What a BERT-family encoder is: the fields of a Hugging Face config.json that decide its numbers.
// Field names are the file's; defaults are those of transformers' BertConfig (of cehrbert's
// CehrBertConfig for the fields that only it has).
struct BertConfig {
  BertKind kind = BertKind::bert;
  int64_t vocab_size = 30'522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3'072;
  BertActivation hidden_act = BertActivation::gelu;
  double layer_norm_eps = 1e-12;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;
  int64_t pad_token_id = 0;
  int64_t cls_token_id = -1;         // -1: not said
  double hidden_dropout_prob = 0.1;  // dropout: training only
  double attention_probs_dropout_prob = 0.1;
  double classifier_dropout = 0.1;  // null in the file: hidden_dropout_prob
  double initializer_range = 0.02;

  // CEHR-BERT only.
  int64_t n_time_embd = 16;
  int64_t n_visit_segments = 3;
  double time_embedding_scaling_factor = 1'000;
  double age_embedding_scaling_factor = 100;
  int64_t sample_packing_max_positions = 0;  // 0: max_position_embeddings
  bool include_value_prediction = false;
  bool bidirectional = true;  // of the LSTM classifier
  double mlm_probability = 0.15;
  std::vector<int64_t> lab_token_ids;

  int64_t head_size() const { return hidden_size / num_attention_heads; }
  int64_t num_positions() const;  // rows of the position table

  // transformers' defaults, or cehrbert's.
  static BertConfig defaults(BertKind kind);

  // Reads config.json, validated, as of the given kind. `model_type` may be missing: CEHR-BERT is
  // then known by fields that only it has. Untrusted: FileError names the file, ConfigError the
  // key. Another family's model_type, or position_embedding_type, is refused.
  static BertConfig read(const std::string& path, std::optional<BertKind> kind = {});
  // config.json as transformers and cehrbert read it.
  std::string to_json() const;
  void write(const std::string& path) const;
  void validate() const;  // ConfigError
};

}  // namespace sequela
