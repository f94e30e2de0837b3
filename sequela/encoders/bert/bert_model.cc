#include "sequela/encoders/bert/bert_model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <string>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/encoders/bert/bert_embeddings.h"
#include "sequela/encoders/bert/bert_weights.h"
#include "sequela/encoders/ops/differentiable_ops.h"
#include "sequela/encoders/ops/inference_ops.h"

namespace sequela {
namespace {

at::Tensor pool(const NamedTensors& weights, const at::Tensor& hidden_TH,
                const PackedSequences& sequences) {
  const at::Tensor first = sequences.offsets_S1.narrow(0, 0, sequences.num_sequences());
  return at::tanh(at::linear(hidden_TH.index_select(0, first.to(at::kLong)),
                             get_tensor(weights, "bert.pooler.dense.weight"),
                             get_tensor(weights, "bert.pooler.dense.bias")));
}

// The encoder, top to bottom: post-norm transformer layers.
BertOutput encode(const BertConfig& config, const NamedTensors& weights, BertOps& ops,
                  const BertInput& given, const BertRequest& request) {
  check_bert_input(config, given);
  const at::Device device = get_tensor(weights, word_embeddings_name(config)).device();
  const BertInput input = to_device(given, device);
  const PackedSequences sequences = build_packed_sequences(input.lengths_S, device);
  const bool has_norm = config.kind == BertKind::bert;
  BertOutput output;
  const at::Device home = given.ids_T.device();
  const auto keep = [&](const BertStream& stream) {
    if (request.hidden_states) output.hidden_states.push_back(stream.residual_TH.to(home));
  };

  BertStream stream = ops.start(embed_bert_input(config, weights, input),
                                has_norm ? "bert.embeddings.LayerNorm" : "");
  keep(stream);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string layer = bert_layer_name(i);
    const at::Tensor qkv_T3H = ops.project_qkv(stream.x_TH, layer + "attention.self");
    const at::Tensor context_TH = ops.attention(qkv_T3H, sequences);
    const at::Tensor mixed_TH = ops.linear(context_TH, layer + "attention.output.dense", {});
    stream = ops.add_norm(stream, mixed_TH, layer + "attention.output.LayerNorm");
    const at::Tensor inner =
        ops.linear(stream.x_TH, layer + "intermediate.dense", config.hidden_act);
    const at::Tensor outer_TH = ops.linear(inner, layer + "output.dense", {});
    stream = ops.add_norm(stream, outer_TH, layer + "output.LayerNorm");
    keep(stream);
  }
  output.hidden_TH = stream.residual_TH.to(home);
  if (request.pooled) output.pooled_SH = pool(weights, stream.residual_TH, sequences).to(home);
  return output;
}

bool wants_graph(const NamedTensors& weights) {
  if (!at::GradMode::is_enabled()) return false;
  for (const auto& [name, tensor] : weights) {
    if (tensor.requires_grad()) return true;
  }
  return false;
}

// Changes when weights change in place: by torch's count of changes, and, for those made past it
// (`parameter.data.add_()`), by some of each weight's values.
uint64_t weights_version(const NamedTensors& weights) {
  constexpr int64_t kSamples = 16;
  uint64_t version = 0;
  for (const auto& [name, tensor] : weights) {
    const auto count = tensor.is_inference() ? 0 : static_cast<uint64_t>(tensor._version());
    version = hash_key(version, count);
    if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat || !tensor.is_contiguous()) continue;
    const float* values = tensor.const_data_ptr<float>();
    const int64_t step = std::max<int64_t>(1, tensor.numel() / kSamples);
    for (int64_t i = step / 2; i < tensor.numel(); i += step)
      version = hash_key(version, std::bit_cast<uint32_t>(values[i]));
  }
  return version;
}

}  // namespace

BertOutput bert_forward(const BertConfig& config, const NamedTensors& weights,
                        const BertInput& input, const BertRequest& request,
                        const BertDropout& dropout) {
  DifferentiableOps ops(config, weights,
                        {.dropout = dropout,
                         .keeps_attentions = request.attentions,
                         .key_mask_T = request.key_mask_T,
                         .has_bf16_linear = request.bf16_linear});
  BertOutput output = encode(config, weights, ops, input, request);
  for (const at::Tensor& attention : ops.take_attentions())
    output.attentions.push_back(attention.to(input.ids_T.device()));
  return output;
}

struct BertModel::State {
  BertConfig config;
  NamedTensors weights;
  BertPrecision precision;
  Ways ways;
  std::mutex mutex;  // of the two below
  uint64_t version = 0;
  std::shared_ptr<InferenceOps> ops;

  // The weights as they are now, packed.
  std::shared_ptr<InferenceOps> packed_weights() {
    const std::lock_guard lock(mutex);
    const uint64_t now = weights_version(weights);
    if (ops == nullptr || version != now) {
      ops = nullptr;  // its memory first
      ops = std::make_shared<InferenceOps>(config, weights, precision, ways);
      version = now;
    }
    return ops;
  }
};

BertModel::BertModel(BertConfig config, NamedTensors weights, BertPrecision precision,
                     const Ways& ways)
    : state_(std::make_shared<State>()) {
  config.validate();
  check_bert_weights(config, weights, "the weights");
  state_->config = std::move(config);
  state_->weights = std::move(weights);
  state_->precision = precision;
  state_->ways = ways;
}

BertModel::~BertModel() = default;
BertModel::BertModel(const BertModel&) = default;
BertModel& BertModel::operator=(const BertModel&) = default;
BertModel::BertModel(BertModel&&) noexcept = default;
BertModel& BertModel::operator=(BertModel&&) noexcept = default;

const BertConfig& BertModel::config() const {
  return state_->config;
}
const NamedTensors& BertModel::weights() const {
  return state_->weights;
}
BertPrecision BertModel::precision() const {
  return state_->precision;
}

at::Device BertModel::device() const {
  return word_embeddings().device();
}

const at::Tensor& BertModel::word_embeddings() const {
  return get_tensor(state_->weights, word_embeddings_name(state_->config));
}

BertOutput BertModel::forward(const BertInput& input, const BertRequest& request) const {
  const bool needs_probabilities = request.attentions || request.key_mask_T.defined();
  if (needs_probabilities || wants_graph(state_->weights)) {
    return bert_forward(state_->config, state_->weights, input, request);
  }
  const at::NoGradGuard no_graph;
  const std::shared_ptr<InferenceOps> ops = state_->packed_weights();
  return encode(state_->config, state_->weights, *ops, input, request);
}

}  // namespace sequela
