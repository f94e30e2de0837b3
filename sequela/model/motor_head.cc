#include "sequela/model/motor_head.h"

#include <algorithm>
#include <stdexcept>

#include "sequela/nn/elementwise.h"
#include "sequela/nn/gemm.h"

namespace sequela {
namespace {

// On a GPU the check would wait for the device; indexing there asserts by itself.
void check_labels(const at::Tensor& label_indices_L, int64_t tokens) {
  if (!label_indices_L.is_cpu() || label_indices_L.numel() == 0) return;
  const at::Tensor indices = label_indices_L.to(at::kLong).contiguous();
  const int64_t* begin = indices.const_data_ptr<int64_t>();
  const auto [least, most] = std::minmax_element(begin, begin + indices.numel());
  if (*least < 0 || *most >= tokens) {
    throw std::invalid_argument("a label's index is not that of a token");
  }
}

}  // namespace

MotorHead::MotorHead(const MotorHeadConfig& config, at::ScalarType type, at::Device device,
                     const Ways& ways)
    : config_(config), type_(type), device_(device), ways_(ways) {
  bin_edges_K1_ = at::tensor(config.time_bins, at::kDouble).to(at::kFloat).to(device);
}

TimeToEventHead MotorHead::rates(const MotorHeadTensors& weights) const {
  return {.weight_CF = weights.task_weight_CF,
          .bias_C = weights.task_bias_C,
          .time_bias_KC = weights.time_bias_KC,
          .bin_edges_K1 = bin_edges_K1_};
}

// Room for rows of products, those beyond `labels` zero (gemm.h).
const at::Tensor& MotorHead::with_filling(Buffer& buffer, int64_t labels, int64_t columns) const {
  const int64_t rows = padded_rows(labels);
  const at::Tensor& filled = buffer.resize({rows, columns}, type_, device_);
  filled.narrow(0, labels, rows - labels).zero_();
  return filled;
}

// Each label's features per bin, normed: [L, K, F].
at::Tensor MotorHead::bin_features(const at::Tensor& hidden_TH, const at::Tensor& label_indices_L,
                                   const MotorHeadTensors& weights) {
  const int64_t labels = label_indices_L.size(0);
  const int64_t width = config_.final_layer_size;
  const int64_t rows = labels * config_.num_bins();
  check_labels(label_indices_L, hidden_TH.size(0));
  at::Tensor labelled_LH = with_filling(labelled_, labels, hidden_TH.size(1)).narrow(0, 0, labels);
  at::index_select_out(labelled_LH, hidden_TH, 0, label_indices_L);
  const at::Tensor& filled =
      projected_.resize({padded_rows(labels), config_.num_bins() * width}, type_, device_);
  linear_forward(labelled_.tensor(), weights.final_weight, filled);
  const at::Tensor projected = filled.narrow(0, 0, labels);
  add_bias(projected, weights.final_bias);
  if (!config_.has_norm) return projected.view({labels, config_.num_bins(), width});

  const at::Tensor& unnormed = unnormed_.resize({rows, width}, at::kFloat, device_);
  unnormed.copy_(projected.view({rows, width}));
  const at::Tensor& normed = normed_.resize({rows, width}, type_, device_);
  rms_norm_forward({.x_TH = unnormed,
                    .weight_H = weights.norm_weight,
                    .out_TH = normed,
                    .inverse_rms_T = inverse_rms_.resize({rows}, at::kFloat, device_)},
                   ways_);
  return normed.view({labels, config_.num_bins(), width});
}

void MotorHead::bin_features_backward(const at::Tensor& grad_z, const at::Tensor& label_indices_L,
                                      const MotorHeadTensors& weights, const Backward& backward) {
  const int64_t labels = label_indices_L.size(0);
  const int64_t width = config_.final_layer_size;
  const int64_t rows = labels * config_.num_bins();
  const at::Tensor& filled = with_filling(grad_projected_, labels, config_.num_bins() * width);
  const at::Tensor grad_projected = filled.narrow(0, 0, labels);
  if (config_.has_norm) {
    rms_norm_backward({.grad_out_TH = grad_z.view({rows, width}),
                       .sum_TH = unnormed_.tensor(),
                       .inverse_rms_T = inverse_rms_.tensor(),
                       .weight_H = weights.norm_weight,
                       .grad_x_TH = grad_unnormed_.resize({rows, width}, at::kFloat, device_),
                       .is_first = true,
                       .grad_x_copy_TH = grad_projected.view({rows, width}),
                       .grad_weight_H = backward.gradients->norm_weight},
                      ways_);
  } else {
    grad_projected.copy_(grad_z.view(grad_projected.sizes()));
  }
  const at::Tensor& labelled_LH = labelled_.tensor();
  linear_backward_weight(filled, labelled_LH,
                         weight_scratch_.resize({weights.final_weight.numel()}, type_, device_),
                         backward.gradients->final_weight);
  add_column_sums(grad_projected, backward.gradients->final_bias);
  const at::Tensor& grad_labelled_LH = grad_labelled_.resize(labelled_LH.sizes(), type_, device_);
  linear_backward_input(filled, weights.final_weight, grad_labelled_LH);
  // No token has two labels, and the gradient was 0.
  backward.grad_hidden_TH.index_copy_(0, label_indices_L.to(at::kLong),
                                      grad_labelled_LH.narrow(0, 0, labels));
}

at::Tensor MotorHead::loss(const at::Tensor& hidden_TH, const at::Tensor& label_indices_L,
                           const MotorTargets& targets, const MotorHeadTensors& weights,
                           const std::optional<Backward>& backward) {
  if (backward) backward->grad_hidden_TH.zero_();
  if (label_indices_L.size(0) == 0)
    return at::zeros({}, at::TensorOptions(at::kFloat).device(device_));
  if (targets.censor_seconds_L.size(0) != label_indices_L.size(0)) {
    throw std::invalid_argument("targets must have one row per labelled token");
  }
  const at::Tensor z_LKF = bin_features(hidden_TH, label_indices_L, weights);
  if (!backward) {
    return time_to_event_loss(z_LKF, rates(weights), targets, time_at_risk_, std::nullopt, {},
                              ways_);
  }

  const at::Tensor& grad_z_LKF = grad_normed_.resize(z_LKF.sizes(), type_, device_);
  const MotorHeadTensors& gradients = *backward->gradients;
  at::Tensor loss =
      time_to_event_loss(z_LKF, rates(weights), targets, time_at_risk_, backward->scale,
                         {.z_LKF = grad_z_LKF,
                          .weight_CF = gradients.task_weight_CF,
                          .bias_C = gradients.task_bias_C,
                          .time_bias_KC = gradients.time_bias_KC},
                         ways_);
  bin_features_backward(grad_z_LKF, label_indices_L, weights, *backward);
  return loss;
}

void MotorHead::release_memory() {
  for (Buffer* buffer :
       {&labelled_, &projected_, &unnormed_, &inverse_rms_, &normed_, &grad_normed_,
        &grad_unnormed_, &grad_projected_, &grad_labelled_, &weight_scratch_})
    *buffer = {};
}

MotorHead::Evaluation MotorHead::evaluate(const at::Tensor& hidden_TH,
                                          const at::Tensor& label_indices_L,
                                          const MotorTargets& targets,
                                          const MotorHeadTensors& weights,
                                          const at::Tensor& tasks_S) {
  const at::TensorOptions floats = at::TensorOptions(at::kFloat).device(device_);
  if (label_indices_L.size(0) == 0) {
    Evaluation none{
        {at::zeros({}, floats), at::zeros({config_.num_tasks()}, floats.dtype(at::kDouble))}, {}};
    if (tasks_S.defined())
      none.log2_rates_LKS = at::zeros({0, config_.num_bins(), tasks_S.size(0)}, floats);
    return none;
  }
  if (targets.censor_seconds_L.size(0) != label_indices_L.size(0)) {
    throw std::invalid_argument("targets must have one row per labelled token");
  }
  const at::Tensor z_LKF = bin_features(hidden_TH, label_indices_L, weights);
  Evaluation evaluation{time_to_event_costs(z_LKF, rates(weights), targets, time_at_risk_, ways_),
                        {}};
  if (tasks_S.defined()) evaluation.log2_rates_LKS = log2_rates(z_LKF, rates(weights), tasks_S);
  return evaluation;
}

at::Tensor MotorHead::logits(const at::Tensor& hidden_TH, const at::Tensor& label_indices_L,
                             const MotorHeadTensors& weights) {
  const at::Tensor z_LKF = bin_features(hidden_TH, label_indices_L, weights);
  at::Tensor logits_LKC =
      at::matmul(z_LKF, weights.task_weight_CF.t()).to(at::kFloat) + weights.task_bias_C;
  if (weights.time_bias_KC.defined()) logits_LKC += weights.time_bias_KC;
  return logits_LKC;
}

}  // namespace sequela
