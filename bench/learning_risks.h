#pragma once

// A model's own hazards as scores of labels, nothing trained: for bench/learning.cc.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "sequela/evaluation/matrix.h"
#include "sequela/model/encoder_weights.h"
#include "sequela/model/model_dir.h"
#include "sequela/model/motor_head.h"

namespace sequela {

// Of each time bin, the seconds that lie before `seconds`.
inline at::Tensor seconds_of_bins(const std::vector<double>& edges, double seconds) {
  std::vector<double> within;
  for (size_t k = 0; k + 1 < edges.size(); ++k)
    within.push_back(std::max(0.0, std::min(edges[k + 1], seconds) - edges[k]));
  return at::tensor(within, at::kDouble);
}

// For each row, the hidden state of a label's last token, the expected number of events of `code`
// within `days`: the sum over the bins of rate times seconds. Empty if the code is none of the
// model's tasks.
inline std::vector<double> own_risks(const std::string& bundle, const DenseMatrix& hidden,
                                     const std::string& code, double days) {
  constexpr int64_t kRows = 64;
  Motor motor = open_bundle(bundle, at::kCPU, Precision::fp32);
  const MotorHeadConfig& config = *motor.config().motor;
  const auto task = std::find_if(config.tasks.begin(), config.tasks.end(),
                                 [&](const MotorHeadConfig::Task& t) { return t.code == code; });
  if (task == config.tasks.end()) return {};
  const at::Tensor& flat = motor.parameters().flat_values;
  const MotorHeadTensors weights = bind_motor_head(motor.parameters(), flat, flat);
  MotorHead head(config, at::kFloat, at::kCPU);
  const at::Tensor seconds_K = seconds_of_bins(config.time_bins, days * 86'400);
  std::vector<double> risks;
  for (int64_t start = 0; start < hidden.num_rows; start += kRows) {
    const int64_t rows = std::min(kRows, hidden.num_rows - start);
    const at::Tensor hidden_RH =
        at::from_blob(const_cast<float*>(hidden.row(start).data()), {rows, hidden.num_columns});
    const at::Tensor log2_rates_RK =
        head.logits(hidden_RH, at::arange(rows), weights).select(2, task - config.tasks.begin());
    const at::Tensor risks_R =
        (at::exp2(log2_rates_RK.to(at::kDouble)) * seconds_K).sum(1).contiguous();
    const double* values = risks_R.const_data_ptr<double>();
    risks.insert(risks.end(), values, values + rows);
  }
  return risks;
}

}  // namespace sequela
