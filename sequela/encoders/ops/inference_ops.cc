#include "sequela/encoders/ops/inference_ops.h"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "sequela/encoders/bert/borrowed_tensor.h"
#include "sequela/encoders/ops/dense_attention.h"
#include "sequela/nn/attention.h"

namespace sequela {

InferenceOps::InferenceOps(const BertConfig& config, const NamedTensors& weights,
                           BertPrecision precision)
    : config_(config), weights_(weights), precision_(precision) {}

at::Tensor InferenceOps::linear(const at::Tensor& x_TI, const std::string& name,
                                std::optional<BertActivation> activation) {
  auto found = packed_.find(name);
  if (found == packed_.end()) {
    const at::Tensor& weight = get_tensor(weights_, name + ".weight");
    PackedLinear packed(weight, get_tensor(weights_, name + ".bias"), precision_);
    release_pages(weight);
    found = packed_.emplace(name, std::move(packed)).first;
  }
  return found->second.forward(x_TI, activation);
}

at::Tensor InferenceOps::project_qkv(const at::Tensor& x_TH, const std::string& name) {
  auto found = packed_.find(name);
  if (found == packed_.end()) {
    std::vector<at::Tensor> weights, biases;
    for (const char* part : {".query", ".key", ".value"}) {
      weights.push_back(get_tensor(weights_, name + part + ".weight"));
      biases.push_back(get_tensor(weights_, name + part + ".bias"));
    }
    PackedLinear packed(at::cat(weights), at::cat(biases), precision_);
    for (const at::Tensor& weight : weights) release_pages(weight);
    found = packed_.emplace(name, std::move(packed)).first;
  }
  return found->second.forward(x_TH, {});
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
                    out_TH.unflatten(1, {heads, hidden / heads}), logsumexp_AT);
  return out_TH;
}

BertStream InferenceOps::to_stream(at::Tensor x_TH) const {
  if (precision_ != BertPrecision::bfloat16) return {x_TH, x_TH};
  return {x_TH, x_TH.to(at::kBFloat16)};
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
