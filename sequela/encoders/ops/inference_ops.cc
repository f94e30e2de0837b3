#include "sequela/encoders/ops/inference_ops.h"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "sequela/encoders/bert/bert_weights.h"
#include "sequela/encoders/bert/borrowed_tensor.h"
#include "sequela/encoders/ops/dense_attention.h"
#include "sequela/nn/attention.h"

namespace sequela {

InferenceOps::InferenceOps(const BertConfig& config, const NamedTensors& weights,
                           BertPrecision precision, const Ways& ways)
    : config_(config), weights_(weights), precision_(precision), ways_(ways) {
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string layer = bert_layer_name(i), self = layer + "attention.self";
    pack(self, {self + ".query", self + ".key", self + ".value"});
    for (const char* name : {"attention.output.dense", "intermediate.dense", "output.dense"})
      pack(layer + name, {layer + name});
  }
}

// The linear layers `parts`, side by side, under one name.
void InferenceOps::pack(const std::string& name, const std::vector<std::string>& parts) {
  std::vector<at::Tensor> weights, biases;
  for (const std::string& part : parts) {
    weights.push_back(get_tensor(weights_, part + ".weight"));
    biases.push_back(get_tensor(weights_, part + ".bias"));
  }
  const auto joined = [](const std::vector<at::Tensor>& tensors) {
    return tensors.size() == 1 ? tensors[0] : at::cat(tensors);
  };
  packed_.emplace(name, PackedLinear(joined(weights), joined(biases), precision_));
  for (const at::Tensor& weight : weights) release_pages(weight);
}

at::Tensor InferenceOps::linear(const at::Tensor& x_TI, const std::string& name,
                                std::optional<BertActivation> activation) {
  return packed_.at(name).forward(x_TI, activation);
}

at::Tensor InferenceOps::project_qkv(const at::Tensor& x_TH, const std::string& name) {
  return packed_.at(name).forward(x_TH, {});
}

at::Tensor InferenceOps::attention(const at::Tensor& qkv_T3H, const PackedSequences& sequences) {
  const int64_t heads = config_.num_attention_heads, hidden = config_.hidden_size;
  if (config_.head_size() % 2 != 0) {
    return dense_attention(qkv_T3H, sequences, {.num_heads = heads}).context_TH;
  }
  const auto part = [&](int64_t which) {
    return qkv_T3H.narrow(1, which * hidden, hidden).unflatten(1, {heads, hidden / heads});
  };
  at::Tensor out_TH = at::empty({qkv_T3H.size(0), hidden}, qkv_T3H.options());
  const at::Tensor logsumexp_AT =
      at::empty({heads, qkv_T3H.size(0)}, qkv_T3H.options().dtype(at::kFloat));
  attention_forward({.q_THD = part(0),
                     .k_THD = part(1),
                     .v_THD = part(2),
                     .sequences = &sequences,
                     .direction = AttentionDirection::bidirectional},
                    out_TH.unflatten(1, {heads, hidden / heads}), logsumexp_AT, ways_);
  return out_TH;
}

BertStream InferenceOps::to_stream(at::Tensor x_TH) const {
  return {x_TH, x_TH.to(PackedLinear::type(precision_, x_TH.device()))};
}

at::Tensor InferenceOps::norm(const at::Tensor& x_TH, const std::string& name) const {
  return at::layer_norm(x_TH, {x_TH.size(1)}, get_tensor(weights_, name + ".weight"),
                        get_tensor(weights_, name + ".bias"), config_.layer_norm_eps);
}

BertStream InferenceOps::add_norm(const BertStream& stream, const at::Tensor& branch_TH,
                                  const std::string& name) {
  return to_stream(norm(stream.residual_TH + branch_TH, name));
}

BertStream InferenceOps::start(const at::Tensor& embeddings_TH, const std::string& name) {
  return to_stream(name.empty() ? embeddings_TH : norm(embeddings_TH, name));
}

}  // namespace sequela
