// The check of a device's kernels, with the CPU's in the device's place.

#include "sequela/nn/kernel_check.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/nn/kernel_table.h"
#include "tests/nn/kernel_check_support.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

TEST(KernelCheck, FindsTheCpusKernelsRight) {
  for (const Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    const std::vector<KernelResult> results = check_kernels(cpu_kernels(), at::kCPU);
    EXPECT_EQ(results.size(), 11u);  // six operations in float32, all but bags in bfloat16
    for (const KernelResult& result : results)
      EXPECT_TRUE(result.is_good()) << to_text(isa) << ": " << result.text();
  }
}

TEST(KernelCheck, FindsThePlainWayEqualToItself) {
  for (const KernelResult& result : check_kernels(plain_kernels(), at::kCPU))
    EXPECT_EQ(result.error, 0) << result.text();
}

TEST(KernelCheck, LeavesTorchsRandomStateAlone) {
  at::manual_seed(4);
  const at::Tensor expected = at::rand({3});
  at::manual_seed(4);
  check_kernels(plain_kernels(), at::kCPU);
  EXPECT_TRUE(at::rand({3}).equal(expected));
}

// Faults to plant: each wrong in one element of one result, or throwing.
void spoil(const at::Tensor& x) {
  x.flatten()[x.numel() / 2] += 0.5;
}

const std::vector<KernelFault> kFaults = {
    {Operation::norm,
     [](KernelTable& table) {
       table.rms_norm_backward = [](const RmsNormBackward& args) {
         cpu_kernels().rms_norm_backward(args);
         spoil(args.grad_weight_H);
       };
     }},
    {Operation::gated_product,
     [](KernelTable& table) {
       table.swiglu_forward = [](const at::Tensor& ff, const at::Tensor& out) {
         cpu_kernels().swiglu_forward(ff, out);
         out[1].copy_(out[0]);
       };
     }},
    {Operation::attention,
     [](KernelTable& table) {
       table.attention_forward = [](const AttentionInputs& inputs, const at::Tensor& out,
                                    const at::Tensor& logsumexp) {
         AttentionInputs wider = inputs;
         ++wider.window;
         cpu_kernels().attention_forward(wider, out, logsumexp);
       };
     }},
    {Operation::recurrence,
     [](KernelTable& table) {
       table.hawk_forward = [](const at::Tensor&, const at::Tensor&, const HawkParameters&,
                               const PackedSequences&, const at::Tensor&, const at::Tensor&) {
         throw std::runtime_error("CUDA kernel hawk_scan: no image\nsecond line");
       };
     }},
    {Operation::embedding_bag,
     [](KernelTable& table) {
       table.embedding_bag_backward = [](const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                         const at::Tensor&, const at::Tensor&) {};
     }},
    {Operation::time_to_event, [](KernelTable& table) {
       table.time_to_event = [](const TimeToEventCall& call) {
         const at::Tensor loss = cpu_kernels().time_to_event(call);
         return loss * NAN;
       };
     }}};

TEST(KernelCheck, FindsNamesAndReplacesAWrongKernelAndNoOther) {
  for (const KernelFault& fault : kFaults) expect_found_and_replaced(cpu_kernels(), fault);
}

TEST(KernelCheck, SaysWhatAKernelThrew) {
  KernelTable table = cpu_kernels();
  kFaults[3].plant(table);
  const std::vector<KernelResult> results = check_kernels(table, at::kCPU);
  const auto failed =
      std::ranges::find_if(results, [](const KernelResult& r) { return !r.is_good(); });
  ASSERT_NE(failed, results.end());
  EXPECT_EQ(failed->text(), "recurrence of float32 fails: CUDA kernel hawk_scan: no image");
}

// The replaced kernel's results are the plain way's.
TEST(KernelCheck, ReplacesAWrongKernel) {
  KernelTable table = cpu_kernels();
  kFaults[1].plant(table);
  Ways ways(Kernels::automatic, table);
  refuse_failed(check_kernels(table, at::kCPU), ways);
  const at::Tensor ff = at::randn({3, 10}), wrong = at::empty({3, 5}), right = at::empty({3, 5}),
                   plain = at::empty({3, 5});
  swiglu_forward(ff, wrong, Ways(Kernels::own, table));
  swiglu_forward(ff, right, ways);
  swiglu_forward(ff, plain, Kernels::plain);
  EXPECT_TRUE(right.equal(plain));
  EXPECT_FALSE(wrong.equal(plain));
}

TEST(RowError, IsOfTheRow) {
  const at::Tensor expected = at::ones({100, 4});
  expected[7] *= 1e-3;
  at::Tensor actual = expected.clone();
  actual[7][2] += 1e-2;
  EXPECT_NEAR(row_error(actual, expected), 0.1, 1e-2);  // of a tenth of the others' size
  actual[8][0] = NAN;
  EXPECT_TRUE(std::isnan(row_error(actual, expected)));
  const at::Tensor rounded = expected.to(at::kBFloat16);
  EXPECT_EQ(row_error(rounded, expected), 0);
}

}  // namespace
}  // namespace sequela
