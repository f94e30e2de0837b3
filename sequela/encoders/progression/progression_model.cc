#include "sequela/encoders/progression/progression_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/encoders/progression/lstm_stack.h"
#include "sequela/encoders/progression/visit_encoder.h"

namespace sequela {
namespace {

// How far from 0 a fresh weight lies: 1 / sqrt(the LSTM's hidden size, or the linear's inputs).
double start_bound(const ProgressionConfig& config, const std::string& name) {
  const bool is_of_codes = name.find("visit_lstm") != std::string::npos ||
                           name.find("visit_projection") != std::string::npos;
  return 1 /
         std::sqrt(static_cast<double>(is_of_codes ? config.code_embed_dim : config.hidden_dim));
}

}  // namespace

ProgressionOutput forward_progression(const ProgressionConfig& config, const NamedTensors& weights,
                                      const VisitBatch& batch, const VisitForwardOptions& options) {
  const int64_t code_size = config.code_embed_dim, visit_size = config.visit_embed_dim;
  const at::Tensor mask = checked_mask(batch, config.vocab_size);
  const at::Tensor time_features = checked_time_features(batch, 2);
  const at::Tensor& table =
      get_tensor(weights, "encoder.code_embeddings.weight", {config.vocab_size, code_size});
  const LstmWeights visit_lstm =
      get_lstm_weights(weights, "encoder.visit_lstm.", 0, code_size, code_size);
  const at::Tensor states =
      encode_visits_by_lstm(table, visit_lstm, batch.codes_BNC, mask, options);

  ProgressionOutput out;
  const at::Tensor& projection =
      get_tensor(weights, "encoder.visit_projection.weight", {visit_size, code_size});
  const at::Tensor& projection_bias =
      get_tensor(weights, "encoder.visit_projection.bias", {visit_size});
  out.visit_embed_BNV = apply_linear(states, projection, projection_bias, options)
                            .view({mask.size(0), mask.size(1), visit_size});
  const at::Tensor x = at::cat({out.visit_embed_BNV, time_features}, -1);
  const LstmStack stack = {.prefix = "encoder.sequence_lstm.",
                           .input_size = visit_size + 2,
                           .hidden_size = config.hidden_dim,
                           .num_layers = config.num_layers,
                           .dropout = config.dropout};
  const LstmSequences sequences = run_lstm_on_rows(stack, x, to_visit_mask(mask), weights, options);
  out.sequence_output_BNH = sequences.outputs_BNH;
  out.final_hidden_LBH = sequences.last_LBH;

  const int64_t hidden = config.hidden_dim, stages = config.num_stages;
  const at::Tensor kept = apply_dropout(out.sequence_output_BNH, config.dropout, options);
  out.stage_logits_BNS =
      apply_linear(kept, get_tensor(weights, "stage_classifier.weight", {stages, hidden}),
                   get_tensor(weights, "stage_classifier.bias", {stages}), options);
  out.time_to_progression_BN1 =
      apply_linear(kept, get_tensor(weights, "time_to_progression.weight", {1, hidden}),
                   get_tensor(weights, "time_to_progression.bias", {1}), options)
          .relu();
  return out;
}

Parameters init_progression_parameters(const ProgressionConfig& config, uint64_t seed) {
  config.validate();
  Parameters parameters = Parameters::allocate(config.parameter_shapes(), at::kCPU);
  at::Generator generator = at::detail::createCPUGenerator(seed);
  for (Parameter& item : parameters.items) {
    if (item.name == "encoder.code_embeddings.weight") {
      item.value.normal_(0, 1, generator);
      item.value[0].zero_();
    } else {
      const double bound = start_bound(config, item.name);
      item.value.uniform_(-bound, bound, generator);
    }
  }
  return parameters;
}

Parameters read_progression_parameters(const ProgressionConfig& config, const std::string& path) {
  const Parameters file = Parameters::read(path);
  Parameters parameters = Parameters::allocate(config.parameter_shapes(), at::kCPU);
  for (Parameter& item : parameters.items) {
    const Parameter* found = file.find(item.name);
    if (found == nullptr)
      throw FileError(path, sequela::str("there is no tensor '", item.name, "'"));
    if (found->value.sizes() != item.value.sizes()) {
      throw FileError(path,
                      sequela::str("tensor '", item.name, "' has shape ", found->value.sizes(),
                                   ", the config asks for ", item.value.sizes()));
    }
    item.value.copy_(found->value);
  }
  return parameters;
}

at::Tensor stage_loss(const at::Tensor& stage_logits_BNS, const at::Tensor& labels_BN) {
  constexpr int64_t kIgnored = -100;
  const at::Tensor labels = labels_BN.reshape({-1});
  const at::Tensor rows = labels.ne(kIgnored).nonzero().squeeze(1);
  const at::Tensor logits = stage_logits_BNS.flatten(0, 1).index_select(0, rows);
  if (rows.size(0) == 0) return logits.sum();  // 0, and part of the graph
  return at::cross_entropy_loss(logits, labels.index_select(0, rows));
}

}  // namespace sequela
