#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/nn/time_to_event.h"
#include "tests/cuda_on_cpu/twin.h"
#include "tests/nn/time_to_event_support.h"

namespace sequela {
namespace {

using cuda_on_cpu::device;
using cuda_on_cpu::expect_twins;
using cuda_on_cpu::kernels;
using cuda_on_cpu::Tensors;

// A block lays out 4,096 tasks at once.
const std::vector<LossCase> kMoreCases = {
    {3, 2, 4095, 8, 0.1}, {3, 2, 4096, 8, 0.1}, {3, 2, 4097, 8, 0.1}, {1, 2, 8200, 8, 0.5},
    {63, 1, 10, 8, 0.3},  {64, 1, 10, 8, 0.3},  {65, 1, 10, 8, 0.3}};

struct LossInputs {
  MotorTargets targets;
  at::Tensor z;
  TimeToEventHead head;
  TimeAtRisk time_at_risk;

  LossInputs(const LossCase& c, at::ScalarType type, bool has_time_bias, TimeAtRisk time_at_risk,
             at::Device on)
      : targets(random_loss_targets(c)), time_at_risk(time_at_risk) {
    at::manual_seed(2);
    z = random_values({c.labels, c.bins, c.features}, 1, type);
    head.weight_CF =
        random_values({c.tasks, c.features}, 0.5 / std::sqrt(double(c.features)), type);
    head.bias_C = random_values({c.tasks}, 1, at::kFloat) - 6;
    if (has_time_bias) head.time_bias_KC = random_values({c.bins, c.tasks}, 0.5, at::kFloat);
    head.bin_edges_K1 = make_loss_edges(c.bins);
    for (at::Tensor* tensor :
         {&z, &head.weight_CF, &head.bias_C, &head.time_bias_KC, &head.bin_edges_K1,
          &targets.censor_seconds_L, &targets.row_offsets_L1, &targets.task_ids_Z,
          &targets.event_seconds_Z}) {
      if (tensor->defined()) *tensor = tensor->to(on);
    }
  }
};

// loss(call) with its gradients, then without.
template <class Loss>
Tensors run_loss(const LossInputs& in, Loss loss) {
  TimeToEventGradients gradients{at::ones_like(in.z),
                                 at::zeros_like(in.head.weight_CF, at::kFloat),
                                 at::zeros_like(in.head.bias_C),
                                 {}};
  if (in.head.time_bias_KC.defined()) gradients.time_bias_KC = at::zeros_like(in.head.time_bias_KC);
  const TimeToEventGradients none;
  const at::Tensor with =
      loss(TimeToEventCall{in.z, in.head, in.targets, in.time_at_risk, 0.25, gradients});
  const at::Tensor without =
      loss(TimeToEventCall{in.z, in.head, in.targets, in.time_at_risk, std::nullopt, none});
  Tensors results = {with, without, gradients.z_LKF, gradients.weight_CF, gradients.bias_C};
  if (in.head.time_bias_KC.defined()) results.push_back(gradients.time_bias_KC);
  return results;
}

at::Tensor on_cpu(const TimeToEventCall& call) {
  return time_to_event_loss(call.z_LKF, call.head, call.targets, call.time_at_risk,
                            call.gradient_scale, call.gradients);
}

void check(const LossCase& c, at::ScalarType type, bool has_time_bias, TimeAtRisk time_at_risk) {
  const LossInputs in(c, type, has_time_bias, time_at_risk, device()),
      same(c, type, has_time_bias, time_at_risk, at::kCPU);
  const double bound = type == at::kFloat ? 1e-4 : 8e-2;
  std::vector<double> bounds = {1e-5, 1e-5, bound, bound, bound};
  if (type == at::kBFloat16) bounds[0] = bounds[1] = 2e-3;
  if (has_time_bias) bounds.push_back(bound);
  expect_twins([&] { return run_loss(in, kernels().time_to_event); },
               [&] { return run_loss(same, on_cpu); }, bounds);
}

TEST(CudaTimeToEvent, EqualsTheCpus) {
  for (const std::vector<LossCase>* cases : {&kLossCases, &kMoreCases}) {
    for (size_t i = 0; i < cases->size(); ++i) {
      if ((*cases)[i].labels * (*cases)[i].bins > 400) continue;  // takes long
      for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(str(cases == &kLossCases ? "case " : "another case ", i, ", ",
                         cuda_on_cpu::name_of(type)));
        check((*cases)[i], type, i % 3 != 2,
              i % 2 == 0 ? TimeAtRisk::exact : TimeAtRisk::log2_float16);
      }
    }
  }
}

TEST(CudaTimeToEvent, IsZeroWithoutLabels) {
  const LossInputs in({0, 8, 5, 16, 0}, at::kFloat, true, TimeAtRisk::exact, device());
  const Tensors results = run_loss(in, kernels().time_to_event);
  EXPECT_EQ(results[0].item<float>(), 0);
  EXPECT_EQ(results[3].abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace sequela
