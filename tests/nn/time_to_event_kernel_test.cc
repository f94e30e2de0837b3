#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/nn/kernels/time_to_event_kernels.h"
#include "sequela/nn/time_to_event.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

struct Case {
  int64_t labels, bins, tasks, features;
  double event_share;
};

const std::vector<Case> kCases = {{1, 1, 1, 8, 1},   {3, 8, 124, 32, 0.2}, {40, 8, 200, 64, 0.1},
                                  {7, 3, 65, 24, 0}, {150, 8, 130, 64, 1}, {64, 2, 64, 512, 0.1}};

at::Tensor make_edges(int64_t bins) {
  at::Tensor edges = at::linspace(0, 100.0 * bins, bins + 1);
  edges[bins] = INFINITY;
  return edges;
}

// Targets of every kind: no entries, all tasks, events on a bin's edge, censored at 0, events after
// the censoring.
MotorTargets random_targets(const Case& c) {
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
std::pair<at::Tensor, at::Tensor> dense_risk(const Case& c, const MotorTargets& targets,
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

// What the gradients hold before the call: small, so that adding to it loses nothing.
constexpr double kBefore = 1e-3;

struct Leaves {
  at::Tensor z, weight, bias, time_bias;
};

at::Tensor dense_loss(const Leaves& x, const at::Tensor& u, const at::Tensor& e) {
  at::Tensor logits = at::matmul(x.z, x.weight.t()) + x.bias;
  if (x.time_bias.defined()) logits = logits + x.time_bias;
  const at::Tensor survival = at::where(u > 0, at::exp2(logits) * u, at::zeros_like(u));
  return survival.mean() - M_LN2 * (e * logits).mean();
}

void check_against_dense(const Case& c, at::ScalarType type, bool has_time_bias) {
  at::manual_seed(2);
  const at::Tensor edges = make_edges(c.bins);
  const MotorTargets targets = random_targets(c);
  const at::Tensor z = random_values({c.labels, c.bins, c.features}, 1, type);
  const at::Tensor weight =
      random_values({c.tasks, c.features}, 0.5 / std::sqrt(double(c.features)), type);
  const at::Tensor bias = random_values({c.tasks}, 1, at::kFloat) - 6;
  const at::Tensor time_bias =
      has_time_bias ? random_values({c.bins, c.tasks}, 0.5, at::kFloat) : at::Tensor();
  const Leaves leaves{leaf(z), leaf(weight), leaf(bias),
                      has_time_bias ? leaf(time_bias) : at::Tensor()};
  const auto [u, e] = dense_risk(c, targets, edges);
  const at::Tensor expected = dense_loss(leaves, u, e);
  (expected * 0.25).backward();

  const TimeToEventGradients gradients{
      at::ones_like(z), at::full(weight.sizes(), kBefore), at::full({c.tasks}, kBefore),
      has_time_bias ? at::full({c.bins, c.tasks}, kBefore) : at::Tensor()};
  const TimeToEventHead head{weight, bias, time_bias, edges};
  const at::Tensor loss = time_to_event_loss(z, head, targets, TimeAtRisk::exact, 0.25, gradients);
  EXPECT_LT(relative_error(loss, expected), tolerance(at::kFloat));
  EXPECT_LT(relative_error(time_to_event_loss(z, head, targets), expected), tolerance(at::kFloat));
  EXPECT_LT(relative_error(gradients.z_LKF, leaves.z.grad()), tolerance(type));
  EXPECT_LT((gradients.weight_CF - kBefore - leaves.weight.grad()).abs().max().item<double>(),
            tolerance(type) * leaves.weight.grad().abs().max().item<double>() + 1e-7);
  EXPECT_LT((gradients.bias_C - kBefore - leaves.bias.grad()).abs().max().item<double>(),
            tolerance(type) * leaves.bias.grad().abs().max().item<double>() + 1e-7);
  if (!has_time_bias) return;
  EXPECT_LT((gradients.time_bias_KC - kBefore - leaves.time_bias.grad()).abs().max().item<double>(),
            tolerance(type) * leaves.time_bias.grad().abs().max().item<double>() + 1e-7);
}

TEST(TimeToEventKernel, EqualsTheDenseLossAndItsGradients) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (size_t i = 0; i < kCases.size(); ++i) {
      for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(
            str(to_text(isa), ", case ", i, type == at::kFloat ? ", float32" : ", bfloat16"));
        check_against_dense(kCases[i], type, i % 3 != 2);
      }
    }
  }
}

// Each task's cost by the definition, in double precision.
at::Tensor dense_costs(const at::Tensor& logits, const at::Tensor& u, const at::Tensor& e) {
  const at::Tensor survival = at::where(u > 0, at::exp2(logits) * u, at::zeros_like(u));
  return (survival - M_LN2 * e * logits).sum({0, 1});
}

void check_costs(const Case& c, at::ScalarType type) {
  at::manual_seed(4);
  const at::Tensor edges = make_edges(c.bins);
  const MotorTargets targets = random_targets(c);
  const at::Tensor z = random_values({c.labels, c.bins, c.features}, 1, type);
  const TimeToEventHead head{
      random_values({c.tasks, c.features}, 0.5 / std::sqrt(double(c.features)), type),
      random_values({c.tasks}, 1, at::kFloat) - 6,
      random_values({c.bins, c.tasks}, 0.5, at::kFloat), edges};
  const at::Tensor logits = at::matmul(z.to(at::kDouble), head.weight_CF.to(at::kDouble).t()) +
                            head.bias_C + head.time_bias_KC;
  const auto [u, e] = dense_risk(c, targets, edges);
  const at::Tensor expected = dense_costs(logits, u, e);
  const TimeToEventCosts costs = time_to_event_costs(z, head, targets);
  EXPECT_LT(relative_error(costs.cost_C, expected), tolerance(at::kFloat));
  EXPECT_TRUE(at::equal(costs.loss, time_to_event_loss(z, head, targets)));
  const TimeToEventGradients none;
  const TimeToEventCall call{z, head, targets, TimeAtRisk::exact, std::nullopt, none};
  EXPECT_LT(relative_error(time_to_event_costs_plain(call), expected), tolerance(type));
  const at::Tensor tasks = at::arange(c.tasks - 1, -1, -3, at::kLong);
  EXPECT_LT(relative_error(log2_rates(z, head, tasks), logits.index_select(2, tasks)),
            tolerance(at::kFloat));
}

TEST(TimeToEventKernel, CostsOfTasksEqualTheDenseOnesAndTheirLossIsTheSame) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (size_t i = 0; i < kCases.size(); ++i) {
      for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(
            str(to_text(isa), ", case ", i, type == at::kFloat ? ", float32" : ", bfloat16"));
        check_costs(kCases[i], type);
      }
    }
  }
}

TEST(TimeToEventKernel, CostsOfTasksDoNotDependOnTheNumberOfThreads) {
  for (const Case& c : kCases) {
    const MotorTargets targets = random_targets(c);
    const at::Tensor z = random_values({c.labels, c.bins, c.features}, 1, at::kFloat);
    const TimeToEventHead head{random_values({c.tasks, c.features}, 0.1, at::kFloat),
                               at::full({c.tasks}, -6.0),
                               {},
                               make_edges(c.bins)};
    expect_same_for_any_threads(
        [&] { return std::vector{time_to_event_costs(z, head, targets).cost_C}; });
  }
}

TEST(TimeToEventKernel, DoesNotDependOnTheNumberOfThreads) {
  for (const Case& c : kCases) {
    const MotorTargets targets = random_targets(c);
    const at::Tensor z = random_values({c.labels, c.bins, c.features}, 1, at::kFloat),
                     weight = random_values({c.tasks, c.features}, 0.1, at::kFloat);
    const TimeToEventHead head{weight, at::full({c.tasks}, -6.0), {}, make_edges(c.bins)};
    expect_same_for_any_threads([&] {
      const TimeToEventGradients gradients{
          at::zeros_like(z), at::zeros_like(weight), at::zeros({c.tasks}), {}};
      const at::Tensor loss =
          time_to_event_loss(z, head, targets, TimeAtRisk::exact, 1.0, gradients);
      return std::vector{loss, gradients.z_LKF, gradients.weight_CF, gradients.bias_C};
    });
  }
}

TEST(TimeToEventKernel, IsZeroWithoutLabels) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    const at::Tensor z = at::zeros({0, 8, 16}), weight = at::zeros({5, 16});
    const MotorTargets targets{at::zeros({0}), at::zeros({1}, at::kInt), at::zeros({0}, at::kInt),
                               at::zeros({0})};
    const TimeToEventGradients gradients{
        at::zeros({0, 8, 16}), at::zeros({5, 16}), at::zeros({5}), {}};
    const at::Tensor loss = time_to_event_loss(z, {weight, at::zeros({5}), {}, make_edges(8)},
                                               targets, TimeAtRisk::exact, 1.0, gradients);
    EXPECT_EQ(loss.item<float>(), 0);
    EXPECT_EQ(gradients.weight_CF.abs().sum().item<float>(), 0);
  }
}

TEST(TimeToEventKernel, RefusesTasksOutOfRange) {
  const MotorTargets targets{at::ones({1}), at::tensor({0, 1}, at::kInt), at::tensor({5}, at::kInt),
                             at::ones({1})};
  EXPECT_THROW(time_to_event_loss(at::zeros({1, 2, 4}),
                                  {at::zeros({5, 4}), at::zeros({5}), {}, make_edges(2)}, targets),
               std::invalid_argument);
}

}  // namespace
}  // namespace sequela
