// A whole training step with the CUDA kernels: what of it would make the host wait for a GPU.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <memory>

#include "sequela/model/motor.h"
#include "sequela/nn/kernel_table.h"
#include "sequela/nn/time_to_event.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/optimizer.h"
#include "tests/cuda_on_cpu/machine.h"
#include "tests/cuda_on_cpu/watch.h"
#include "tests/model/cuda_twin_model.h"

namespace sequela {
namespace {

using cuda_on_cpu::counts;
using cuda_on_cpu::watch;

// The batch as MotorFeed brings it to a device.
MotorBatch fed_batch(const ModelConfig& config) {
  MotorBatch batch = twin_batch();
  batch.inputs.sequences =
      std::make_shared<PackedSequences>(build_packed_sequences(batch.inputs.lengths_S, at::kCPU));
  batch.targets.reached_rows_R =
      reached_rows(batch.targets, at::tensor(config.motor->time_bins, at::kDouble).to(at::kFloat));
  return batch;
}

class CudaOnCpuStep : public testing::TestWithParam<OptimizerKind> {};

TEST_P(CudaOnCpuStep, NeverWaitsForTheDevice) {
  const ModelConfig config = twin_config();
  Motor model(config, 3, at::kCPU, Precision::bf16, Ways(Kernels::automatic, cuda_kernels()));
  TrainOptions options;
  options.optimizer = GetParam();
  const MotorTraining training(model, nullptr, nullptr);
  Optimizer optimizer(model.parameters(), options, training.parts(), at::kBFloat16);
  model.parameters().zero_gradients();
  const MotorBatch batch = fed_batch(config);
  counts() = {};
  const auto watched = watch([&] {
    model.loss(batch, 1.0);
    optimizer.step(1e-3, optimizer.gradient_norm());
    model.parameters().zero_gradients();
    model.refresh_weights();
  });
  EXPECT_GT(counts().launches, 20);
  EXPECT_EQ(counts().waits, 0);
  EXPECT_EQ(counts().float_atomics, 0);
  EXPECT_EQ(watched.waits, std::vector<std::string>{});
  EXPECT_EQ(watched.unordered_sums, std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(Optimizers, CudaOnCpuStep,
                         testing::Values(OptimizerKind::adamw, OptimizerKind::muon),
                         [](const auto& info) { return std::string(to_text(info.param)); });

}  // namespace
}  // namespace sequela
