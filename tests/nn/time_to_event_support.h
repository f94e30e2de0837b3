#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/nn/time_to_event.h"
#include "tests/nn/kernel_support.h"

namespace sequela {

struct LossCase {
  int64_t labels, bins, tasks, features;
  double event_share;
};

inline const std::vector<LossCase> kLossCases = {{1, 1, 1, 8, 1},       {3, 8, 124, 32, 0.2},
                                                 {40, 8, 200, 64, 0.1}, {7, 3, 65, 24, 0},
                                                 {150, 8, 130, 64, 1},  {64, 2, 64, 512, 0.1}};

inline at::Tensor make_loss_edges(int64_t bins) {
  at::Tensor edges = at::linspace(0, 100.0 * bins, bins + 1);
  edges[bins] = INFINITY;
  return edges;
}

// Targets of every kind: no entries, all tasks, events on a bin's edge, censored at 0, events after
// the censoring.
inline MotorTargets random_loss_targets(const LossCase& c) {
  Random random(9);
  std::vector<float> censor, seconds;
  std::vector<int> tasks, offsets = {0};
  for (int64_t l = 0; l < c.labels; ++l) {
    censor.push_back(l % 5 == 4 ? 0 : static_cast<float>(random.uniform() * 100 * c.bins));
    for (int64_t task = 0; task < c.tasks && l % 4 != 3; ++task) {
      if (random.uniform() >= c.event_share) continue;
      tasks.push_back(static_cast<int>(task));
      const float time = static_cast<float>(1 + random.uniform() * 90 * c.bins);
      seconds.push_back(random.below(8) == 0 ? 100 * std::ceil(time / 100) : time);
    }
    offsets.push_back(static_cast<int>(tasks.size()));
  }
  return {at::tensor(censor), at::tensor(offsets, at::kInt), at::tensor(tasks, at::kInt),
          at::tensor(seconds, at::kFloat)};
}

// u and e, dense, by their definition.
inline std::pair<at::Tensor, at::Tensor> dense_risk(const LossCase& c, const MotorTargets& targets,
                                                    const at::Tensor& edges) {
  const float* censor = targets.censor_seconds_L.const_data_ptr<float>();
  const float* seconds = targets.event_seconds_Z.const_data_ptr<float>();
  const int* tasks = targets.task_ids_Z.const_data_ptr<int>();
  const int* offsets = targets.row_offsets_L1.const_data_ptr<int>();
  at::Tensor u = at::zeros({c.labels, c.bins, c.tasks}, at::kDouble), e = at::zeros_like(u);
  auto u_values = u.accessor<double, 3>();
  auto e_values = e.accessor<double, 3>();
  for (int64_t l = 0; l < c.labels; ++l) {
    std::vector<double> time(c.tasks, censor[l]);
    std::vector<bool> is_event(c.tasks, false);
    for (int i = offsets[l]; i < offsets[l + 1]; ++i) {
      time[tasks[i]] = seconds[i];
      is_event[tasks[i]] = true;
    }
    for (int64_t k = 0; k < c.bins; ++k) {
      const double start = edges[k].item<double>(), end = edges[k + 1].item<double>();
      for (int64_t task = 0; task < c.tasks; ++task) {
        u_values[l][k][task] = std::clamp(time[task] - start, 0.0, end - start);
        e_values[l][k][task] = is_event[task] && start <= time[task] && time[task] < end;
      }
    }
  }
  return {u, e};
}

struct LossLeaves {
  at::Tensor z, weight, bias, time_bias;
};

inline at::Tensor dense_loss(const LossLeaves& x, const at::Tensor& u, const at::Tensor& e) {
  at::Tensor logits = at::matmul(x.z, x.weight.t()) + x.bias;
  if (x.time_bias.defined()) logits = logits + x.time_bias;
  const at::Tensor survival = at::where(u > 0, at::exp2(logits) * u, at::zeros_like(u));
  return survival.mean() - M_LN2 * (e * logits).mean();
}

}  // namespace sequela
