#include "sequela/encoders/progression/lstm_stack.h"

#include <ATen/ATen.h>

#include "sequela/encoders/ops/differentiable_linear.h"
#include "sequela/encoders/ops/dropout_mask.h"

#include "sequela/core/error.h"
#include "sequela/encoders/progression/packed_lstm.h"

namespace sequela {
namespace {

// Puts packed rows back to their places: [T, H] -> [R, C, H], zero elsewhere.
at::Tensor unpack_sequences(const at::Tensor& packed_TH, const SequencePack& pack, int64_t num_rows,
                            int64_t num_columns) {
  const int64_t size = packed_TH.size(1);
  return at::zeros({num_rows * num_columns, size}, packed_TH.options().requires_grad(false))
      .index_copy(0, pack.source_T, packed_TH)
      .view({num_rows, num_columns, size});
}

}  // namespace

at::Tensor apply_dropout(const at::Tensor& x, double rate, const VisitForwardOptions& options) {
  if (!options.is_training || rate == 0) return x;
  return dropped(x, rate, options.generator);
}

at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight_OI, const at::Tensor& bias_O,
                        const VisitForwardOptions& options) {
  return differentiable_linear(x, weight_OI, bias_O,
                               {.products = options.use_bf16 ? at::kBFloat16 : at::kFloat});
}

LstmStackOutput forward_lstm_stack(const LstmStack& stack, const at::Tensor& x_TI,
                                   const SequencePack& pack, const NamedTensors& weights,
                                   const VisitForwardOptions& options) {
  at::Tensor x = x_TI;
  std::vector<at::Tensor> last;
  int64_t input_size = stack.input_size;
  for (int64_t layer = 0; layer < stack.num_layers; ++layer) {
    if (layer > 0) x = apply_dropout(x, stack.dropout, options);
    const auto layer_weights = [&](const char* suffix) {
      return get_lstm_weights(weights, stack.prefix, layer, input_size, stack.hidden_size, suffix);
    };
    at::Tensor out = packed_lstm(x, pack, layer_weights(""), options.use_bf16);
    last.push_back(out.index_select(0, pack.last_S));
    if (stack.is_bidirectional) {
      const at::Tensor backward = packed_lstm(x.index_select(0, pack.reverse_T), pack,
                                              layer_weights("_reverse"), options.use_bf16);
      last.push_back(backward.index_select(0, pack.last_S));
      out = at::cat({out, backward.index_select(0, pack.reverse_T)}, 1);
    }
    x = out;
    input_size = x.size(1);
  }
  return {x, at::stack(last)};
}

LstmSequences run_lstm_on_rows(const LstmStack& stack, const at::Tensor& x_BNI,
                               const at::Tensor& mask_BN, const NamedTensors& weights,
                               const VisitForwardOptions& options) {
  const int64_t num_rows = x_BNI.size(0), num_steps = x_BNI.size(1);
  const int64_t directions = stack.is_bidirectional ? 2 : 1;
  const auto constant = x_BNI.options().requires_grad(false);
  const at::Tensor last =
      at::zeros({stack.num_layers * directions, num_rows, stack.hidden_size}, constant);
  const std::vector<SequencePack> packs = pack_sequences(mask_BN);
  if (packs.empty()) {
    return {at::zeros({num_rows, num_steps, stack.hidden_size * directions}, constant), last};
  }
  const SequencePack& pack = packs[0];
  const at::Tensor x = x_BNI.flatten(0, 1).index_select(0, pack.source_T);
  const LstmStackOutput out = forward_lstm_stack(stack, x, pack, weights, options);
  return {unpack_sequences(out.outputs_TH, pack, num_rows, num_steps),
          last.index_copy(1, pack.rows_S, out.last_LSH)};
}

void add_lstm_shapes(const LstmStack& stack, std::vector<ParameterShape>* shapes) {
  const int64_t gates = 4 * stack.hidden_size;
  int64_t input_size = stack.input_size;
  for (int64_t layer = 0; layer < stack.num_layers; ++layer) {
    for (const char* suffix : {"", "_reverse"}) {
      if (*suffix != '\0' && !stack.is_bidirectional) continue;
      const std::string end = str("_l", layer, suffix);
      shapes->push_back({stack.prefix + "weight_ih" + end, {gates, input_size}, true});
      shapes->push_back({stack.prefix + "weight_hh" + end, {gates, stack.hidden_size}, true});
      shapes->push_back({stack.prefix + "bias_ih" + end, {gates}});
      shapes->push_back({stack.prefix + "bias_hh" + end, {gates}});
    }
    input_size = stack.hidden_size * (stack.is_bidirectional ? 2 : 1);
  }
}

}  // namespace sequela
