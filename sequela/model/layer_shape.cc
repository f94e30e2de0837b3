#include "sequela/model/layer_shape.h"

#include <ATen/ATen.h>

#include "sequela/nn/attention.h"
#include "sequela/nn/elementwise.h"

namespace sequela {
namespace {

constexpr int64_t kNumTimeFeatures = 10;
constexpr int64_t kNumTimeData = 5;
constexpr int64_t kNormalizedAge = 1;  // column of time_data, and its square five later

}  // namespace

at::Tensor LayerShape::with_bias(const at::Tensor& projected, const at::Tensor& bias) const {
  return projected.narrow(1, projected.size(1) - bias.size(0), bias.size(0));
}

at::Tensor LayerShape::ff_bias(const at::Tensor& bias) const {
  return config_.use_bias ? bias.narrow(0, 0, ff_columns()) : at::Tensor();
}

at::Tensor LayerShape::mixer_bias(const at::Tensor& bias) const {
  if (!bias.defined()) return {};
  return bias.narrow(0, bias.size(0) - mixer_columns(), mixer_columns());
}

void LayerShape::activate(const at::Tensor& ff, const at::Tensor& active, const Ways& ways) const {
  config_.hidden_act == "swiglu" ? swiglu_forward(ff, active, ways) : gelu_forward(ff, active);
}

void LayerShape::activate_backward(const at::Tensor& ff, const at::Tensor& grad_active,
                                   const at::Tensor& grad_ff, const Ways& ways) const {
  config_.hidden_act == "swiglu" ? swiglu_backward(ff, grad_active, grad_ff, ways)
                                 : gelu_backward(ff, grad_active, grad_ff);
}

void LayerTimes::fill(const EncoderConfig& config, const at::Tensor& ages_days_T,
                      const at::Tensor& time_data_T5, at::Device device) {
  const int64_t tokens = ages_days_T.size(0);
  at::Tensor cos_TR = cos_.resize({tokens, config.head_size() / 2}, at::kFloat, device);
  at::Tensor sin_TR = sin_.resize(cos_TR.sizes(), at::kFloat, device);
  fill_rotary_tables(ages_days_T, cos_TR, sin_TR);
  if (!config.use_normed_ages) return;

  at::Tensor features = features_.resize({tokens, kNumTimeFeatures}, at::kFloat, device);
  fill_time_features(time_data_T5, features);
  if (config.time_columns == TimeColumns::normalized_age) {
    columns_[0] = at::stack(
        {features.select(1, kNormalizedAge), features.select(1, kNormalizedAge + kNumTimeData)}, 1);
  } else {
    columns_[0] = features;
    columns_[1] = features.narrow(1, 0, kNumTimeData);
  }
}

}  // namespace sequela
