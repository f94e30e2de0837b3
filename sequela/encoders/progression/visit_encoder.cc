#include "sequela/encoders/progression/visit_encoder.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "sequela/core/interrupt.h"

namespace sequela {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The last state of each sequence of a block.
at::Tensor encode_block(const at::Tensor& table_WE, const at::Tensor& ids_T,
                        const LstmWeights& weights, const SequencePack& pack, bool use_bf16) {
  const at::Tensor x = at::embedding(table_WE, ids_T, kPaddingId);
  return packed_lstm(x, pack, weights, use_bf16).index_select(0, pack.last_S);
}

// encode_block that keeps nothing but the ids, and runs again in the backward pass.
class RecomputedBlock : public torch::autograd::Function<RecomputedBlock> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& table_WE,
                            const at::Tensor& input_GI, const at::Tensor& hidden_GH,
                            const at::Tensor& input_bias_G, const at::Tensor& hidden_bias_G,
                            const at::Tensor& ids_T, const SequencePack& pack, bool use_bf16) {
    context->save_for_backward(
        {table_WE, input_GI, hidden_GH, input_bias_G, hidden_bias_G, ids_T, pack.last_S});
    context->saved_data["step_sizes"] = pack.step_sizes;
    context->saved_data["use_bf16"] = use_bf16;
    return encode_block(table_WE, ids_T, {input_GI, hidden_GH, input_bias_G, hidden_bias_G}, pack,
                        use_bf16);
  }

  static variable_list backward(AutogradContext* context, variable_list grad_outputs) {
    const variable_list saved = context->get_saved_variables();
    SequencePack pack;
    pack.step_sizes = context->saved_data["step_sizes"].toIntVector();
    pack.last_S = saved[6];
    variable_list leaves, wanted;
    for (size_t i = 0; i < 5; ++i) {
      leaves.push_back(saved[i].detach().requires_grad_(context->needs_input_grad(i)));
      if (leaves.back().requires_grad()) wanted.push_back(leaves.back());
    }
    const at::AutoGradMode grad_mode(true);
    const at::Tensor out =
        encode_block(leaves[0], saved[5], {leaves[1], leaves[2], leaves[3], leaves[4]}, pack,
                     context->saved_data["use_bf16"].toBool());
    const variable_list found = torch::autograd::grad({out}, wanted, grad_outputs);
    variable_list grads(8);
    size_t next = 0;
    for (size_t i = 0; i < 5; ++i) {
      if (leaves[i].requires_grad()) grads[i] = found[next++];
    }
    return grads;
  }
};

bool needs_graph(const at::Tensor& table_WE, const LstmWeights& weights) {
  return at::GradMode::is_enabled() &&
         (table_WE.requires_grad() || weights.input_GI.requires_grad() ||
          weights.hidden_GH.requires_grad() || weights.input_bias_G.requires_grad() ||
          weights.hidden_bias_G.requires_grad());
}

}  // namespace

at::Tensor encode_visits_by_lstm(const at::Tensor& table_WE, const LstmWeights& weights,
                                 const at::Tensor& codes_BNC, const at::Tensor& mask_BNC,
                                 const VisitForwardOptions& options) {
  const int64_t num_rows = codes_BNC.size(0) * codes_BNC.size(1);
  const int64_t size = weights.hidden_GH.size(1);
  const bool has_graph = needs_graph(table_WE, weights);
  const int64_t block = has_graph && !options.use_checkpoint ? 0 : options.block_codes;
  const at::Tensor flat_codes = codes_BNC.reshape({-1}).to(at::kLong);
  std::vector<at::Tensor> rows, states;
  const at::Tensor mask_RC = mask_BNC.reshape({num_rows, codes_BNC.size(2)});
  for (const SequencePack& pack : pack_sequences(mask_RC, block)) {
    throw_if_stopped();
    const at::Tensor ids = flat_codes.index_select(0, pack.source_T);
    rows.push_back(pack.rows_S);
    if (has_graph && options.use_checkpoint) {
      states.push_back(RecomputedBlock::apply(table_WE, weights.input_GI, weights.hidden_GH,
                                              weights.input_bias_G, weights.hidden_bias_G, ids,
                                              pack, options.use_bf16));
    } else {
      states.push_back(encode_block(table_WE, ids, weights, pack, options.use_bf16));
    }
  }
  const at::Tensor all = at::zeros({num_rows, size}, table_WE.options().requires_grad(false));
  if (states.empty()) return all;
  return all.index_copy(0, at::cat(rows), at::cat(states));
}

}  // namespace sequela
