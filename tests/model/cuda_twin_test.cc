// The kernels of a GPU against those of the CPU: a whole model, forward and backward, on the same
// batch.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sequela/model/motor.h"
#include "tests/model/cuda_twin_model.h"

namespace sequela {
namespace {

#define SEQUELA_NEED_CUDA()                                                             \
  if (!at::hasCUDA())                                                                   \
  GTEST_SKIP() << "no CUDA device, or a torch without CUDA: build with SEQUELA_CUDA=1 " \
                  "where there is a GPU"

// The norm of what differs, as a share of the norm of what was expected.
double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  const at::Tensor wide = expected.to(at::kCPU, at::kDouble);
  const at::Tensor difference = actual.to(at::kCPU, at::kDouble) - wide;
  return (difference.norm() / wide.norm().clamp_min(1e-30)).item<double>();
}

// What bfloat16 may change: 8 bits of mantissa, through two layers and back.
constexpr double kStateError = 0.04, kGradientError = 0.1;

TEST(CudaTwin, LossAndGradientsEqualTheCpus) {
  SEQUELA_NEED_CUDA();
  const MotorBatch batch = twin_batch();
  Motor cpu(twin_config(), 3, at::kCPU, Precision::fp32);
  Motor gpu(twin_config(), 3, at::Device("cuda:0"), Precision::bf16);
  cpu.parameters().zero_gradients();
  gpu.parameters().zero_gradients();
  const double expected = cpu.loss(batch, 1.0).item<double>();
  EXPECT_NEAR(gpu.loss(batch, 1.0).item<double>(), expected, 1e-2 * std::abs(expected));
  for (const Parameter& parameter : cpu.parameters().items) {
    const Parameter* twin = gpu.parameters().find(parameter.name);
    ASSERT_NE(twin, nullptr) << parameter.name;
    if (parameter.gradient.norm().item<double>() < 1e-8) continue;
    EXPECT_LT(relative_error(twin->gradient, parameter.gradient), kGradientError) << parameter.name;
  }
}

TEST(CudaTwin, HiddenStatesEqualTheCpus) {
  SEQUELA_NEED_CUDA();
  const MotorBatch batch = twin_batch();
  Motor cpu(twin_config(), 3, at::kCPU, Precision::fp32);
  Motor gpu(twin_config(), 3, at::Device("cuda:0"), Precision::bf16);
  EXPECT_LT(relative_error(gpu.encode(batch.inputs), cpu.encode(batch.inputs)), kStateError);
}

TEST(CudaTwin, EqualsTheCpusInFloat32) {
  SEQUELA_NEED_CUDA();
  Motor cpu(twin_config(), 3, at::kCPU, Precision::fp32);
  Motor gpu(twin_config(), 3, at::Device("cuda:0"), Precision::fp32);
  expect_float32_twins(cpu, gpu);
}

TEST(CudaTwin, ComparisonInFloat32HoldsForThePlainWay) {
  Motor own(twin_config(), 3, at::kCPU, Precision::fp32);
  Motor plain(twin_config(), 3, at::kCPU, Precision::fp32, Ways(Kernels::plain));
  expect_float32_twins(own, plain);
}

// Keeps the test itself honest where there is no GPU: bf16 on the CPU must pass the same
// comparison.
TEST(CudaTwin, ComparisonHoldsForTheCpusOwnBfloat16) {
  const MotorBatch batch = twin_batch();
  Motor exact(twin_config(), 3, at::kCPU, Precision::fp32);
  Motor rounded(twin_config(), 3, at::kCPU, Precision::bf16);
  exact.parameters().zero_gradients();
  rounded.parameters().zero_gradients();
  const double expected = exact.loss(batch, 1.0).item<double>();
  EXPECT_NEAR(rounded.loss(batch, 1.0).item<double>(), expected, 1e-2 * std::abs(expected));
  for (const Parameter& parameter : exact.parameters().items) {
    if (parameter.gradient.norm().item<double>() < 1e-8) continue;
    const at::Tensor gradient = rounded.parameters().find(parameter.name)->gradient;
    EXPECT_LT(relative_error(gradient, parameter.gradient), kGradientError) << parameter.name;
  }
  EXPECT_LT(relative_error(rounded.encode(batch.inputs), exact.encode(batch.inputs)), kStateError);
}

}  // namespace
}  // namespace sequela
