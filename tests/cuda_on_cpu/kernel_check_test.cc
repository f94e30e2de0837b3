// The check of a GPU's kernels, whole, with the kernels that run here without one.

#include "sequela/nn/kernel_check.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/nn/cuda/cuda_kernels.h"
#include "sequela/nn/kernel_table.h"
#include "tests/nn/kernel_check_support.h"

namespace sequela {
namespace {

TEST(CudaOnCpuCheck, FindsTheKernelsRight) {
  const std::vector<KernelResult> results = check_kernels(cuda_kernels(), at::kCPU);
  EXPECT_EQ(results.size(), 10u);  // as the CPU's, but for attention of float32
  for (const KernelResult& result : results) {
    EXPECT_TRUE(result.is_good()) << result.text();
    EXPECT_FALSE(result.operation == Operation::attention && result.type == at::kFloat);
  }
}

// A kernel that forgets a row's last element, a scan that forgets the sequences' starts, a loss
// that forgets a gradient.
const std::vector<KernelFault> kFaults = {
    {Operation::norm,
     [](KernelTable& table) {
       table.rms_norm_forward = [](const RmsNormForward& args) {
         cuda_kernels().rms_norm_forward(args);
         args.out_TH.select(1, args.out_TH.size(1) - 1).zero_();
       };
     }},
    {Operation::recurrence,
     [](KernelTable& table) {
       table.hawk_forward = [](const at::Tensor& x, const at::Tensor& y, const HawkParameters& p,
                               const PackedSequences& sequences, const at::Tensor& out,
                               const at::Tensor& states) {
         PackedSequences one = sequences;
         one.token_starts_T = at::zeros_like(sequences.token_starts_T);
         cuda_kernels().hawk_forward(x, y, p, one, out, states);
       };
     }},
    {Operation::time_to_event, [](KernelTable& table) {
       table.time_to_event = [](const TimeToEventCall& call) {
         const at::Tensor loss = cuda_kernels().time_to_event(call);
         call.gradients.bias_C[0].zero_();
         return loss;
       };
     }}};

TEST(CudaOnCpuCheck, FindsNamesAndReplacesAWrongKernel) {
  for (const KernelFault& fault : kFaults) expect_found_and_replaced(cuda_kernels(), fault);
}

// What the kernels do not take goes the plain way by itself.
TEST(CudaOnCpuCheck, AttentionOfFloat32AndOfOddHeadsIsPlain) {
  const Ways ways(Kernels::automatic, cuda_kernels());
  const at::Tensor rounded = at::empty({1}, at::kBFloat16), x = at::empty({1});
  EXPECT_EQ(&ways.table(Operation::attention, rounded, 64), &cuda_kernels());
  EXPECT_EQ(&ways.table(Operation::attention, rounded, 20), &plain_kernels());
  EXPECT_EQ(&ways.table(Operation::attention, rounded, 264), &plain_kernels());
  EXPECT_EQ(&ways.table(Operation::attention, x, 64), &plain_kernels());
  EXPECT_THROW(Ways(Kernels::own, cuda_kernels()).table(Operation::attention, x, 64), ConfigError);
}

TEST(CudaOnCpuFacts, AreTheDevices) {
  const CudaDeviceFacts facts = cuda_device_facts(0);
  EXPECT_EQ(facts.name, "CPU in a GPU's place");
  EXPECT_EQ(facts.major, 9);
  EXPECT_LT(facts.free_bytes, facts.total_bytes);
  EXPECT_EQ(cuda_versions().driver, 12040);
}

}  // namespace
}  // namespace sequela
