// MOTOR on the other device, against the CPU: passes, and training with its optimizer.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "sequela/model/motor.h"
#include "tests/model/cuda_twin_model.h"
#include "tests/other_device/other_device.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

TEST(MotorOnOtherDevice, PassesEqualTheCpus) {
  Motor cpu(twin_config(), 3, at::kCPU, Precision::fp32);
  Motor other(twin_config(), 3, other_device(), Precision::fp32);
  for (const Activations activations : {Activations::kept, Activations::recomputed}) {
    other.set_activations(activations);
    expect_float32_twins(cpu, other);
  }
}

TEST(MotorOnOtherDevice, SomeRowsLogitsAndHistoryEqualTheCpus) {
  const MotorBatch batch = twin_batch();
  Motor cpu(twin_config(), 3, at::kCPU, Precision::fp32);
  Motor other(twin_config(), 3, other_device(), Precision::fp32);
  const at::Tensor rows = at::tensor({0, 40, 300}, at::kLong);
  const at::Tensor firsts = at::tensor({0, 1, 250}, at::kLong).unsqueeze(1);
  EXPECT_LT(row_error(other.encode(batch.inputs, rows), cpu.encode(batch.inputs, rows)), 1e-3);
  EXPECT_LT(row_error(other.logits(batch.inputs), cpu.logits(batch.inputs)), 1e-3);
  EXPECT_LT(row_error(other.encode_with_history(batch.inputs, rows, firsts),
                      cpu.encode_with_history(batch.inputs, rows, firsts)),
            1e-3);
}

class TrainOnOtherDevice : public TrainTest {};

// With each optimizer: the losses of eight steps, and the weights at the end.
TEST_F(TrainOnOtherDevice, LearnsAsTheCpu) {
  for (const OptimizerKind optimizer : {OptimizerKind::adamw, OptimizerKind::muon}) {
    const auto trained = [&](at::Device device, const std::string& folder) {
      Motor seed = fresh_model();
      Motor model(seed.config(), 7, device, Precision::fp32);
      TrainOptions options =
          small_run(folder_ / (folder + (optimizer == OptimizerKind::muon ? "_muon" : "_adamw")));
      options.optimizer = optimizer;
      return run(model, options);
    };
    const TrainReport cpu = trained(at::kCPU, "cpu"), other = trained(other_device(), "other");
    ASSERT_EQ(other.eval_losses.size(), cpu.eval_losses.size());
    for (size_t i = 0; i < cpu.eval_losses.size(); ++i) {
      const auto [step, loss] = cpu.eval_losses[i];
      EXPECT_NEAR(other.eval_losses[i].second, loss, 1e-4 * loss) << "step " << step;
    }
  }
}

}  // namespace
}  // namespace sequela
