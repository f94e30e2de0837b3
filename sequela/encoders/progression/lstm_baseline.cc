#include "sequela/encoders/progression/lstm_baseline.h"

#include <ATen/ATen.h>

#include "sequela/core/error.h"
#include "sequela/encoders/progression/lstm_stack.h"

namespace sequela {
namespace {

int64_t state_size(const LstmBaselineConfig& config) {
  return config.hidden_dim * (config.is_bidirectional ? 2 : 1);
}

}  // namespace

void LstmBaselineConfig::validate() const {
  for (const auto& [key, value] : {std::pair{"vocab_size", vocab_size},
                                   {"embedding_dim", embedding_dim},
                                   {"hidden_dim", hidden_dim},
                                   {"num_layers", num_layers},
                                   {"output_dim", output_dim}}) {
    if (value < 1) throw ConfigError(key, str(value), "1 or more");
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw ConfigError("dropout", str(dropout), "a number in [0, 1)");
  }
}

std::vector<ParameterShape> LstmBaselineConfig::parameter_shapes() const {
  std::vector<ParameterShape> shapes = {{"embedding.weight", {vocab_size, embedding_dim}, true}};
  if (pooling == VisitPooling::attention) {
    const std::string prefix = "visit_encoder.attention.";
    const int64_t half = embedding_dim / 2;
    shapes.push_back({prefix + "0.weight", {half, embedding_dim}, true});
    shapes.push_back({prefix + "0.bias", {half}});
    shapes.push_back({prefix + "2.weight", {1, half}, true});
    shapes.push_back({prefix + "2.bias", {1}});
  }
  const LstmStack stack = {"lstm.", embedding_dim, hidden_dim, num_layers, is_bidirectional};
  add_lstm_shapes(stack, &shapes);
  shapes.push_back({"fc.weight", {output_dim, state_size(*this)}, true});
  shapes.push_back({"fc.bias", {output_dim}});
  return shapes;
}

LstmBaselineOutput forward_lstm_baseline(const LstmBaselineConfig& config,
                                         const NamedTensors& weights, const VisitBatch& batch,
                                         const VisitForwardOptions& options) {
  const at::Tensor mask = checked_mask(batch, config.vocab_size);
  const int64_t num_patients = mask.size(0), num_visits = mask.size(1);
  const at::Tensor& table =
      get_tensor(weights, "embedding.weight", {config.vocab_size, config.embedding_dim});
  const at::Tensor visits = apply_dropout(pool_visits(table, to_visit_codes(batch.codes_BNC, mask),
                                                      config.pooling, weights, "visit_encoder."),
                                          config.dropout, options);
  const LstmStack stack = {"lstm.",           config.embedding_dim,    config.hidden_dim,
                           config.num_layers, config.is_bidirectional, config.dropout};
  const LstmSequences states = run_lstm_on_rows(stack, visits.view({num_patients, num_visits, -1}),
                                                to_visit_mask(mask), weights, options);

  // The last layer's states, forward and backward, side by side.
  const int64_t directions = config.is_bidirectional ? 2 : 1;
  const at::Tensor last =
      states.last_LBH.narrow(0, states.last_LBH.size(0) - directions, directions)
          .transpose(0, 1)
          .reshape({num_patients, state_size(config)});
  LstmBaselineOutput out;
  out.hidden_BNH = states.outputs_BNH;
  out.logits_BD =
      apply_linear(apply_dropout(last, config.dropout, options),
                   get_tensor(weights, "fc.weight", {config.output_dim, state_size(config)}),
                   get_tensor(weights, "fc.bias", {config.output_dim}), options);
  out.predictions_BD = config.output_dim == 1 ? out.logits_BD.sigmoid() : out.logits_BD.softmax(-1);
  return out;
}

}  // namespace sequela
