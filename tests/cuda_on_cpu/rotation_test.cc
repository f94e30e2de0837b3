// The kernel of rotary embedding by itself, and what attention refuses.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/nn/attention.h"
#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/cuda/tensors.h"
#include "tests/cuda_on_cpu/rotated.h"
#include "tests/cuda_on_cpu/twin.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

using cuda_on_cpu::in_every_order;
using cuda_on_cpu::in_guarded_rows;
using cuda_on_cpu::rotated;
using cuda_on_cpu::row_error;

void check_rotation(at::ScalarType type, int64_t tokens, int64_t heads, int64_t size) {
  at::manual_seed(11);
  const at::Tensor x = in_guarded_rows(random_values({tokens, heads, size}, 1, type), 24);
  const at::Tensor cosines = at::empty({tokens, size / 2}), sines = at::empty_like(cosines);
  at::Tensor cosines_out = cosines, sines_out = sines;
  fill_rotary_tables(at::rand({tokens}) * 30, cosines_out, sines_out);
  for (const float direction : {1.0f, -1.0f}) {
    const auto runs = in_every_order([&] {
      const at::Tensor to = in_guarded_rows(at::zeros({tokens, heads, size}, type), 16);
      cuda_rotate({x.data_ptr(), x.stride(0), to.data_ptr(), to.stride(0), floats_of(cosines),
                   floats_of(sines), tokens, heads, size, direction},
                  value_of(x), nullptr);
      return to;
    });
    for (const at::Tensor& run : runs) EXPECT_TRUE(run.equal(runs[0]));
    EXPECT_LT(row_error(runs[0], rotated(x, cosines, direction * sines)), 1e-6);
  }
}

TEST(CudaOnCpuRotation, RotatesAsComplexNumbersDo) {
  for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const int64_t tokens : {0, 1, 63, 64, 65, 4096}) {
      SCOPED_TRACE(str(cuda_on_cpu::name_of(type), ", ", tokens, " tokens"));
      check_rotation(type, tokens, 3, 8);
      if (tokens <= 65) check_rotation(type, tokens, 1, 2);
      if (tokens <= 65) check_rotation(type, tokens, 5, 130);
    }
  }
}

TEST(CudaOnCpuRotation, RefusesFloat32) {
  const PackedSequences sequences = build_packed_sequences(at::tensor({3}, at::kInt), at::kCPU);
  const at::Tensor x = at::zeros({3, 1, 8});
  EXPECT_THROW(attention_forward_cuda({x, x, x, {}, {}, &sequences, 2}, x, at::zeros({1, 3})),
               ConfigError);
}

}  // namespace
}  // namespace sequela
