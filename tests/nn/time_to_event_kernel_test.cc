#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/nn/kernels/time_to_event_kernels.h"
#include "sequela/nn/time_to_event.h"
#include "tests/nn/time_to_event_support.h"

namespace sequela {
namespace {

// What the gradients hold before the call: small, so that adding to it loses nothing.
constexpr double kBefore = 1e-3;

void check_against_dense(const LossCase& c, at::ScalarType type, bool has_time_bias) {
  at::manual_seed(2);
  const at::Tensor edges = make_loss_edges(c.bins);
  const MotorTargets targets = random_loss_targets(c);
  const at::Tensor z = random_values({c.labels, c.bins, c.features}, 1, type);
  const at::Tensor weight =
      random_values({c.tasks, c.features}, 0.5 / std::sqrt(double(c.features)), type);
  const at::Tensor bias = random_values({c.tasks}, 1, at::kFloat) - 6;
  const at::Tensor time_bias =
      has_time_bias ? random_values({c.bins, c.tasks}, 0.5, at::kFloat) : at::Tensor();
  const LossLeaves leaves{leaf(z), leaf(weight), leaf(bias),
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
    for (size_t i = 0; i < kLossCases.size(); ++i) {
      for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(
            str(to_text(isa), ", case ", i, type == at::kFloat ? ", float32" : ", bfloat16"));
        check_against_dense(kLossCases[i], type, i % 3 != 2);
      }
    }
  }
}

// Each task's cost by the definition, in double precision.
at::Tensor dense_costs(const at::Tensor& logits, const at::Tensor& u, const at::Tensor& e) {
  const at::Tensor survival = at::where(u > 0, at::exp2(logits) * u, at::zeros_like(u));
  return (survival - M_LN2 * e * logits).sum({0, 1});
}

void check_costs(const LossCase& c, at::ScalarType type) {
  at::manual_seed(4);
  const at::Tensor edges = make_loss_edges(c.bins);
  const MotorTargets targets = random_loss_targets(c);
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
    for (size_t i = 0; i < kLossCases.size(); ++i) {
      for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(
            str(to_text(isa), ", case ", i, type == at::kFloat ? ", float32" : ", bfloat16"));
        check_costs(kLossCases[i], type);
      }
    }
  }
}

TEST(TimeToEventKernel, CostsOfTasksDoNotDependOnTheNumberOfThreads) {
  for (const LossCase& c : kLossCases) {
    const MotorTargets targets = random_loss_targets(c);
    const at::Tensor z = random_values({c.labels, c.bins, c.features}, 1, at::kFloat);
    const TimeToEventHead head{random_values({c.tasks, c.features}, 0.1, at::kFloat),
                               at::full({c.tasks}, -6.0),
                               {},
                               make_loss_edges(c.bins)};
    expect_same_for_any_threads(
        [&] { return std::vector{time_to_event_costs(z, head, targets).cost_C}; });
  }
}

TEST(TimeToEventKernel, DoesNotDependOnTheNumberOfThreads) {
  for (const LossCase& c : kLossCases) {
    const MotorTargets targets = random_loss_targets(c);
    const at::Tensor z = random_values({c.labels, c.bins, c.features}, 1, at::kFloat),
                     weight = random_values({c.tasks, c.features}, 0.1, at::kFloat);
    const TimeToEventHead head{weight, at::full({c.tasks}, -6.0), {}, make_loss_edges(c.bins)};
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
    const at::Tensor loss = time_to_event_loss(z, {weight, at::zeros({5}), {}, make_loss_edges(8)},
                                               targets, TimeAtRisk::exact, 1.0, gradients);
    EXPECT_EQ(loss.item<float>(), 0);
    EXPECT_EQ(gradients.weight_CF.abs().sum().item<float>(), 0);
  }
}

TEST(TimeToEventKernel, RefusesTasksOutOfRange) {
  const MotorTargets targets{at::ones({1}), at::tensor({0, 1}, at::kInt), at::tensor({5}, at::kInt),
                             at::ones({1})};
  EXPECT_THROW(
      time_to_event_loss(at::zeros({1, 2, 4}),
                         {at::zeros({5, 4}), at::zeros({5}), {}, make_loss_edges(2)}, targets),
      std::invalid_argument);
}

}  // namespace
}  // namespace sequela
