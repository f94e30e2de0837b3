#include "sequela/objective/clmbr/next_code_head.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "sequela/nn/elementwise.h"
#include "sequela/nn/gemm.h"

namespace sequela {
namespace {

constexpr int64_t kRows = 1'024;  // labels at a time
constexpr int64_t kTen = 10;
constexpr const char* kWeight = "task_model.final_layer.weight";
constexpr const char* kBias = "task_model.final_layer.bias";

}  // namespace

// Some labels with the logs of the shares that the head gives to all codes.
struct NextCodeHead::Rows {
  at::Tensor tokens_R, codes_R1;
  at::Tensor states_PH;      // their hidden states, filled up with zeros (padded_rows)
  at::Tensor log_shares_RV;  // float32
  at::Tensor costs_R;        // float32
};

NextCodeHead::NextCodeHead(Motor& model) : model_(model) {}

NextCodeHead::Rows NextCodeHead::rows(const at::Tensor& hidden_TH, const Labels& labels,
                                      int64_t first) {
  const int64_t count = std::min(kRows, labels.tokens_L.size(0) - first);
  const at::Tensor weight_VH = model_.product_weight(kWeight);
  const at::Device device = hidden_TH.device();
  const at::ScalarType type = hidden_TH.scalar_type();
  const int64_t codes = weight_VH.size(0);
  Rows rows;
  rows.tokens_R = labels.tokens_L.narrow(0, first, count);
  rows.codes_R1 = labels.codes_L.narrow(0, first, count).unsqueeze(1);
  const int64_t padded = padded_rows(count);
  rows.states_PH = states_.resize({padded, hidden_TH.size(1)}, type, device);
  rows.states_PH.narrow(0, count, padded - count).zero_();
  at::Tensor own_RH = rows.states_PH.narrow(0, 0, count);
  at::index_select_out(own_RH, hidden_TH, 0, rows.tokens_R);
  const at::Tensor& products_PV = products_.resize({padded, codes}, type, device);
  linear_forward(rows.states_PH, weight_VH, products_PV);
  const at::Tensor& logits_RV = logits_.resize({count, codes}, at::kFloat, device);
  logits_RV.copy_(products_PV.narrow(0, 0, count));
  add_bias(logits_RV, model_.parameters().get(kBias).value);
  rows.log_shares_RV = log_shares_.resize({count, codes}, at::kFloat, device);
  at::_log_softmax_out(rows.log_shares_RV, logits_RV, 1, false);
  rows.costs_R = rows.log_shares_RV.gather(1, rows.codes_R1).squeeze(1).neg_();
  return rows;
}

// Of the summed cost times `scale`. The gradient of the logits is a share less the label's 1: it
// takes the scale where it has been multiplied, so that bfloat16 keeps its digits.
void NextCodeHead::add_gradients(const Rows& rows, double scale, const at::Tensor& grad_hidden_TH) {
  Parameter& weight = model_.parameters().get(kWeight);
  Parameter& bias = model_.parameters().get(kBias);
  const at::Device device = grad_hidden_TH.device();
  const at::ScalarType type = grad_hidden_TH.scalar_type();
  const int64_t count = rows.tokens_R.size(0), padded = rows.states_PH.size(0);
  const int64_t codes = weight.value.size(0);
  at::Tensor shares_RV = rows.log_shares_RV;
  shares_RV.exp_();
  shares_RV.scatter_add_(1, rows.codes_R1, at::full_like(rows.codes_R1, -1, shares_RV.options()));
  const at::Tensor& grad_PV = gradient_.resize({padded, codes}, type, device);
  grad_PV.narrow(0, 0, count).copy_(shares_RV);
  grad_PV.narrow(0, count, padded - count).zero_();

  const at::Tensor& sums_V = column_sums_.resize({codes}, at::kFloat, device);
  sums_V.zero_();
  add_column_sums(shares_RV, sums_V);
  bias.gradient.add_(sums_V, scale);
  const at::Tensor& grad_states_PH = grad_states_.resize(rows.states_PH.sizes(), type, device);
  linear_backward_input(grad_PV, model_.product_weight(kWeight), grad_states_PH);
  grad_hidden_TH.index_add_(0, rows.tokens_R, grad_states_PH.narrow(0, 0, count), scale);
  rows.states_PH.mul_(scale);
  linear_backward_weight(grad_PV, rows.states_PH,
                         scratch_.resize({weight.value.numel()}, type, device), weight.gradient);
}

at::Tensor NextCodeHead::loss(const at::Tensor& hidden_TH, const Labels& labels,
                              std::optional<double> scale, const at::Tensor& grad_hidden_TH) {
  const int64_t num_labels = labels.tokens_L.size(0);
  if (scale) grad_hidden_TH.zero_();
  at::Tensor cost = at::zeros({}, hidden_TH.options().dtype(at::kFloat));
  for (int64_t first = 0; first < num_labels; first += kRows) {
    const Rows some = rows(hidden_TH, labels, first);
    cost.add_(some.costs_R.sum());
    if (scale) add_gradients(some, *scale / static_cast<double>(num_labels), grad_hidden_TH);
  }
  return num_labels == 0 ? cost : cost.div_(num_labels);
}

NextCodeHead::Evaluation NextCodeHead::evaluate(const at::Tensor& hidden_TH, const Labels& labels) {
  const int64_t num_labels = labels.tokens_L.size(0);
  Evaluation result;
  for (int64_t first = 0; first < num_labels; first += kRows) {
    const Rows some = rows(hidden_TH, labels, first);
    const at::Tensor own_R1 = some.log_shares_RV.gather(1, some.codes_R1);
    const at::Tensor above_R = some.log_shares_RV.gt(own_R1).sum(1);
    result.cost += some.costs_R.sum(at::kDouble).item<double>();
    result.num_first += above_R.eq(0).sum().item<int64_t>();
    result.num_in_ten += above_R.lt(kTen).sum().item<int64_t>();
  }
  result.loss = at::scalar_tensor(
      num_labels == 0 ? 0 : result.cost / static_cast<double>(num_labels), at::kFloat);
  return result;
}

}  // namespace sequela
