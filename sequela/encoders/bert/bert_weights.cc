#include "sequela/encoders/bert/bert_weights.h"

#include <ATen/ATen.h>

#include <cmath>

#include "sequela/core/error.h"

namespace sequela {
namespace {

// Appends weight and bias of a linear layer, or of a norm (inputs 0).
void add_layer(std::vector<WeightShape>& shapes, const std::string& name, int64_t outputs,
               int64_t inputs = 0) {
  std::vector<int64_t> weight{outputs};
  if (inputs > 0) weight.push_back(inputs);
  shapes.push_back({name + ".weight", std::move(weight)});
  shapes.push_back({name + ".bias", {outputs}});
}

void add_bert_embeddings(std::vector<WeightShape>& shapes, const BertConfig& config) {
  const std::string name = "bert.embeddings.";
  const int64_t hidden = config.hidden_size;
  shapes.push_back({name + "word_embeddings.weight", {config.vocab_size, hidden}});
  shapes.push_back({name + "position_embeddings.weight", {config.max_position_embeddings, hidden}});
  shapes.push_back({name + "token_type_embeddings.weight", {config.type_vocab_size, hidden}});
  add_layer(shapes, name + "LayerNorm", hidden);
}

void add_cehr_embeddings(std::vector<WeightShape>& shapes, const BertConfig& config) {
  const std::string name = "bert.cehr_bert_embeddings.";
  const int64_t hidden = config.hidden_size, time = config.n_time_embd;
  shapes.push_back({name + "concept_embeddings.weight", {config.vocab_size, hidden}});
  shapes.push_back({name + "visit_segment_embeddings.weight", {config.n_visit_segments, hidden}});
  for (const char* layer : {"time_embedding_layer", "age_embedding_layer"}) {
    shapes.push_back({name + layer + ".w", {1, time}});
    shapes.push_back({name + layer + ".phi", {1, time}});
  }
  shapes.push_back({name + "positional_embedding_layer.pe", {config.num_positions(), time}});
  add_layer(shapes, name + "concept_value_transformation_layer.merge_value_transformation_layer",
            hidden, hidden + 1);
  add_layer(shapes, name + "linear_proj", hidden, hidden + 3 * time);
}

void check_shapes(const std::vector<WeightShape>& shapes, const NamedTensors& weights,
                  const std::string& path) {
  for (const WeightShape& expected : shapes) {
    const auto found = weights.find(expected.name);
    if (found == weights.end() || !found->second.defined()) {
      throw FileError(path, "has no tensor '" + expected.name + "'",
                      "use a folder whose weights belong to its config.json");
    }
    if (found->second.sizes() != at::IntArrayRef(expected.shape)) {
      throw FileError(path,
                      sequela::str("tensor '", expected.name, "' has shape ", found->second.sizes(),
                                   ", config.json says ", at::IntArrayRef(expected.shape)),
                      "use a folder whose weights belong to its config.json");
    }
  }
}

bool has_any(const NamedTensors& weights, const std::string& prefix) {
  const auto found = weights.lower_bound(prefix);
  return found != weights.end() && found->first.starts_with(prefix);
}

}  // namespace

std::vector<WeightShape> encoder_weight_shapes(const BertConfig& config) {
  std::vector<WeightShape> shapes;
  config.kind == BertKind::bert ? add_bert_embeddings(shapes, config)
                                : add_cehr_embeddings(shapes, config);
  const int64_t hidden = config.hidden_size, inner = config.intermediate_size;
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string layer = bert_layer_name(i);
    for (const char* part : {"query", "key", "value"}) {
      add_layer(shapes, layer + "attention.self." + part, hidden, hidden);
    }
    add_layer(shapes, layer + "attention.output.dense", hidden, hidden);
    add_layer(shapes, layer + "attention.output.LayerNorm", hidden);
    add_layer(shapes, layer + "intermediate.dense", inner, hidden);
    add_layer(shapes, layer + "output.dense", hidden, inner);
    add_layer(shapes, layer + "output.LayerNorm", hidden);
  }
  return shapes;
}

std::vector<WeightShape> pooler_weight_shapes(const BertConfig& config) {
  std::vector<WeightShape> shapes;
  add_layer(shapes, "bert.pooler.dense", config.hidden_size, config.hidden_size);
  return shapes;
}

std::vector<WeightShape> mlm_weight_shapes(const BertConfig& config) {
  std::vector<WeightShape> shapes;
  const int64_t hidden = config.hidden_size;
  add_layer(shapes, "cls.predictions.transform.dense", hidden, hidden);
  add_layer(shapes, "cls.predictions.transform.LayerNorm", hidden);
  shapes.push_back({"cls.predictions.bias", {config.vocab_size}});
  if (config.kind == BertKind::cehr_bert && config.include_value_prediction) {
    const std::string name = "concept_value_decoder_layer.concept_value_decoder_layer.";
    add_layer(shapes, name + "0", hidden / 2, hidden);
    add_layer(shapes, name + "2", hidden / 2);
    add_layer(shapes, name + "3", 1, hidden / 2);
  }
  return shapes;
}

std::string bert_layer_name(int64_t layer) {
  return str("bert.encoder.layer.", layer, ".");
}

std::string word_embeddings_name(const BertConfig& config) {
  return config.kind == BertKind::bert ? "bert.embeddings.word_embeddings.weight"
                                       : "bert.cehr_bert_embeddings.concept_embeddings.weight";
}

at::Tensor sinusoid_positions(const BertConfig& config) {
  const int64_t rows = config.num_positions(), columns = config.n_time_embd;
  at::Tensor table = at::zeros({rows, columns}, at::kFloat);
  const at::Tensor rates = at::exp(at::arange(0, columns, 2, at::kFloat) *
                                   (-std::log(10000.0) / static_cast<double>(columns)));
  const at::Tensor angles = at::arange(rows, at::kFloat).unsqueeze(1) * rates;
  table.slice(1, 0, columns, 2).copy_(at::sin(angles));
  table.slice(1, 1, columns, 2).copy_(at::cos(angles).narrow(1, 0, columns / 2));
  return table;
}

void check_bert_weights(const BertConfig& config, const NamedTensors& weights,
                        const std::string& path) {
  check_shapes(encoder_weight_shapes(config), weights, path);
  if (has_any(weights, "bert.pooler.")) {
    check_shapes(pooler_weight_shapes(config), weights, path);
  }
  if (has_any(weights, "cls.predictions.")) check_shapes(mlm_weight_shapes(config), weights, path);
}

bool is_trainable(const std::string& name) {
  return !name.ends_with(".pe") && !name.ends_with("running_mean") &&
         !name.ends_with("running_var") && !name.ends_with("num_batches_tracked");
}

NamedTensors to_trainable(const NamedTensors& weights) {
  NamedTensors copies;
  for (const auto& [name, tensor] : weights) {
    at::Tensor copy = tensor.detach().clone(at::MemoryFormat::Contiguous);
    if (copy.is_floating_point() && is_trainable(name)) copy.requires_grad_(true);
    copies.emplace(name, copy);
  }
  return copies;
}

}  // namespace sequela
