#include "sequela/encoders/ops/differentiable_ops.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <utility>

#include "sequela/encoders/ops/dense_attention.h"
#include "sequela/encoders/ops/differentiable_linear.h"
#include "sequela/encoders/ops/dropout_attention.h"
#include "sequela/encoders/ops/dropout_mask.h"

namespace sequela {

at::Tensor activate(const at::Tensor& x, BertActivation activation) {
  switch (activation) {
    case BertActivation::gelu:
      return at::gelu(x);
    case BertActivation::gelu_tanh:
      return at::gelu(x, "tanh");
    case BertActivation::relu:
      return at::relu(x);
  }
  return x;
}

DifferentiableOps::DifferentiableOps(const BertConfig& config, const NamedTensors& weights,
                                     Options options)
    : config_(config), weights_(weights), options_(std::move(options)) {}

at::Tensor DifferentiableOps::multiply(const at::Tensor& x_TI, const at::Tensor& weight_OI,
                                       const at::Tensor& bias_O, at::ScalarType type) const {
  if (!options_.has_bf16_linear) return differentiable_linear(x_TI, weight_OI, bias_O, {});
  return differentiable_linear(x_TI, weight_OI, bias_O,
                               {.products = at::kBFloat16, .result = type});
}

// What goes into an activation and comes out of it, the widest of all, stays in bfloat16.
at::Tensor DifferentiableOps::linear(const at::Tensor& x_TI, const std::string& name,
                                     std::optional<BertActivation> activation) {
  const at::Tensor out =
      multiply(x_TI, get_tensor(weights_, name + ".weight"), get_tensor(weights_, name + ".bias"),
               activation ? at::kBFloat16 : at::kFloat);
  return activation ? activate(out, *activation) : out;
}

at::Tensor DifferentiableOps::project_qkv(const at::Tensor& x_TH, const std::string& name) {
  const auto joined = [&](const char* what) {
    return at::cat({get_tensor(weights_, name + ".query" + what),
                    get_tensor(weights_, name + ".key" + what),
                    get_tensor(weights_, name + ".value" + what)});
  };
  return multiply(x_TH, joined(".weight"), joined(".bias"), at::kFloat);
}

at::Tensor DifferentiableOps::attention(const at::Tensor& qkv_T3H,
                                        const PackedSequences& sequences) {
  const double dropout =
      options_.dropout.generator.has_value() ? config_.attention_probs_dropout_prob : 0;
  const bool needs_probabilities = options_.keeps_attentions || options_.key_mask_T.defined();
  if (!needs_probabilities && dropout > 0) {
    return dropout_attention(qkv_T3H, sequences, config_.num_attention_heads, dropout, next_key());
  }
  if (!needs_probabilities && config_.head_size() % 2 == 0) {
    return packed_attention(qkv_T3H, sequences, config_.num_attention_heads);
  }
  DenseAttentionOutput output = dense_attention(qkv_T3H, sequences,
                                                {.num_heads = config_.num_attention_heads,
                                                 .key_mask_T = options_.key_mask_T,
                                                 .dropout = dropout,
                                                 .generator = options_.dropout.generator,
                                                 .keeps_probabilities = options_.keeps_attentions});
  if (options_.keeps_attentions) attentions_.push_back(output.probabilities_SALL);
  return output.context_TH;
}

uint64_t DifferentiableOps::next_key() const {
  return at::check_generator<at::CPUGeneratorImpl>(options_.dropout.generator)->random64();
}

at::Tensor DifferentiableOps::drop(const at::Tensor& x) const {
  const double probability = config_.hidden_dropout_prob;
  if (!options_.dropout.generator || probability == 0) return x;
  const at::Tensor factors = at::empty(x.sizes(), x.options());
  fill_dropout_mask(factors, probability, next_key());
  return x * factors;
}

at::Tensor DifferentiableOps::norm(const at::Tensor& x, const std::string& name) const {
  return at::layer_norm(x, {x.size(1)}, get_tensor(weights_, name + ".weight"),
                        get_tensor(weights_, name + ".bias"), config_.layer_norm_eps);
}

BertStream DifferentiableOps::add_norm(const BertStream& stream, const at::Tensor& branch_TH,
                                       const std::string& name) {
  const at::Tensor x = norm(stream.residual_TH + drop(branch_TH), name);
  return {x, x};
}

BertStream DifferentiableOps::start(const at::Tensor& embeddings_TH, const std::string& name) {
  const at::Tensor x = name.empty() ? embeddings_TH : drop(norm(embeddings_TH, name));
  return {x, x};
}

}  // namespace sequela
