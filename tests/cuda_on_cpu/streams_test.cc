// Every function of nn/cuda launches on torch's current stream, does not wait for the device, and
// adds floats in a fixed order.

#include <ATen/ATen.h>
#include <c10/core/StreamGuard.h>
#include <gtest/gtest.h>

#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/kernels/embedding_kernels.h"
#include "tests/cuda_on_cpu/machine.h"
#include "tests/cuda_on_cpu/watch.h"
#include "tests/nn/hawk_support.h"
#include "tests/nn/time_to_event_support.h"

namespace sequela {
namespace {

using cuda_on_cpu::counts;
using cuda_on_cpu::watch;
using cuda_on_cpu::Watched;

void run_rows() {
  const at::Tensor x = at::ones({3, 8}), weight = at::ones({8}), inverse_rms = at::ones({3}),
                   out = at::empty({3, 8}), ff = at::ones({3, 16});
  rms_norm_forward_cuda({x, x, out, weight, {}, out, inverse_rms});
  rms_norm_backward_cuda({x, x, inverse_rms, weight, 0, out, false, {}, at::zeros({8})});
  swiglu_forward_cuda(ff, out);
  swiglu_backward_cuda(ff, x, at::empty({3, 16}));
}

void run_hawk() {
  const HawkCase c{{5, 3}, 2, 8};
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  const at::Tensor x = at::ones({8, 16}), states = at::empty({1, 16}), out = at::empty({8, 16});
  const HawkParameters parameters = random_hawk_parameters(c);
  hawk_forward_cuda(x, x, parameters, sequences, out, states);
  hawk_backward_cuda(x, x, parameters, sequences, states, x, out, at::empty({8, 16}),
                     random_hawk_parameters(c));
}

void run_attention() {
  const PackedSequences sequences = build_packed_sequences(at::tensor({5, 3}, at::kInt), at::kCPU);
  const at::Tensor x = at::ones({8, 2, 8}, at::kBFloat16), angles = at::zeros({8, 4}),
                   logsumexp = at::zeros({2, 8});
  const AttentionInputs inputs{x, x, x, angles, angles, &sequences, 3};
  const auto empty = [&] { return at::empty_like(x); };
  attention_forward_cuda(inputs, empty(), logsumexp);
  attention_backward_cuda(inputs, x, logsumexp, x, {empty(), empty(), empty()});
}

void run_loss() {
  const LossCase c{3, 2, 5, 8, 0.5};
  const MotorTargets targets = random_loss_targets(c);
  const at::Tensor z = at::zeros({3, 2, 8});
  const TimeToEventHead head{at::zeros({5, 8}), at::zeros({5}), at::zeros({2, 5}),
                             make_loss_edges(2)};
  const TimeToEventGradients gradients{at::zeros_like(z), at::zeros({5, 8}), at::zeros({5}),
                                       at::zeros({2, 5})};
  time_to_event_cuda({z, head, targets, TimeAtRisk::exact, 1.0, gradients});
}

struct Function {
  const char* name;
  void (*run)();
  int64_t num_launches;
  std::vector<std::string> waits;
};

const std::vector<Function> kFunctions = {
    {"rows", run_rows, 4, {}},
    {"hawk", run_hawk, 10, {}},
    {"attention", run_attention, 6, {}},
    {"time to event", run_loss, 1, {"aten::nonzero"}},  // how many rows are reached
};

TEST(CudaOnCpuStreams, LaunchesTakeTheCurrentOne) {
  for (const Function& function : kFunctions) {
    SCOPED_TRACE(function.name);
    for (const int64_t id : {0, 7}) {
      const c10::Stream stream = cuda_on_cpu::stream_number(id);
      const c10::StreamGuard guard(stream);
      counts() = {};
      function.run();
      EXPECT_EQ(counts().launches, function.num_launches);
      EXPECT_EQ(counts().streams, std::set<void*>{cuda_on_cpu::handle_of(stream)});
    }
  }
}

TEST(CudaOnCpuStreams, NothingWaitsOrAddsInNoOrder) {
  for (const Function& function : kFunctions) {
    SCOPED_TRACE(function.name);
    counts() = {};
    const Watched watched = watch(function.run);
    EXPECT_EQ(counts().waits, 0);
    EXPECT_EQ(counts().float_atomics, 0);
    EXPECT_EQ(watched.waits, function.waits);
    EXPECT_EQ(watched.unordered_sums, std::vector<std::string>{});
  }
}

// What a GPU runs for bags of tokens are torch's own operations, those of the reference.
TEST(CudaOnCpuStreams, BagsOfTokensNeitherWaitNorAddInNoOrder) {
  const at::Tensor table = at::ones({9, 4}), ids = at::tensor({3, 3, 8, 0, 1, 3}, at::kInt),
                   weights = at::ones({6}), offsets = at::tensor({0, 2, 2, 6}, at::kInt),
                   out = at::empty({3, 4});
  const Watched watched = watch([&] {
    embedding_bag_forward_reference(table, ids, weights, offsets, out);
    embedding_bag_backward_reference(out, ids, weights, offsets, table);
  });
  EXPECT_EQ(watched.waits, std::vector<std::string>{});
  EXPECT_EQ(watched.unordered_sums, std::vector<std::string>{});
}

TEST(CudaOnCpuStreams, WatchSeesWhatWaitsAndWhatAddsInNoOrder) {
  const Watched watched = watch([] {
    const at::Tensor sizes = at::ones({3}, at::kLong);
    at::nonzero(sizes);
    at::repeat_interleave(sizes);
    at::repeat_interleave(sizes, std::optional<int64_t>(3));
    sizes.sum().item<int64_t>();
    at::zeros({3}).index_add_(0, sizes, at::ones({3}));
  });
  EXPECT_EQ(watched.waits,
            (std::vector<std::string>{"aten::nonzero", "aten::repeat_interleave", "aten::item"}));
  EXPECT_EQ(watched.unordered_sums, std::vector<std::string>{"aten::index_add_"});
}

}  // namespace
}  // namespace sequela
