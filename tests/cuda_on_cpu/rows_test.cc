#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/nn/cuda/dispatch.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/kernel_table.h"
#include "tests/cuda_on_cpu/twin.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

using cuda_on_cpu::expect_twins;
using cuda_on_cpu::in_guarded_rows;
using cuda_on_cpu::Tensors;

constexpr double kExact = 1e-5;  // float32 sums in another order

// Odd sizes, and more rows than norm_backward has blocks; columns beside the block's 256 threads.
template <class Body>
void for_each_size(Body body) {
  for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (auto [rows, columns] : {std::pair{1, 1},
                                 {1, 300},
                                 {3, 20},
                                 {63, 130},
                                 {64, 256},
                                 {65, 257},
                                 {7, 768},
                                 {260, 33},
                                 {4096, 24}}) {
      SCOPED_TRACE(str(cuda_on_cpu::name_of(type), ", ", rows, " x ", columns));
      at::manual_seed(3);
      body(type, rows, columns);
    }
  }
}

struct NormInputs {
  at::Tensor x, branch, weight, features, grad_out, grad_before;

  NormInputs(at::ScalarType branch_type, at::ScalarType type, int64_t rows, int64_t columns)
      : x(in_guarded_rows(random_values({rows, columns}, 2, at::kFloat), 8)),
        branch(in_guarded_rows(random_values({rows, columns}, 1, branch_type), 16)),
        weight(random_values({columns}, 1, at::kFloat)),
        features(random_values({rows, std::min<int64_t>(columns, 5)}, 1, at::kFloat)),
        grad_out(in_guarded_rows(random_values({rows, columns}, 1, type), 8)),
        grad_before(random_values({rows, columns}, 1, at::kFloat)) {}
};

template <class Forward, class Backward>
Tensors run_norm(const NormInputs& in, Forward forward, Backward backward) {
  const int64_t rows = in.x.size(0), columns = in.x.size(1);
  const at::ScalarType type = in.grad_out.scalar_type();
  const at::Tensor sum = at::empty({rows, columns}), inverse_rms = at::empty({rows, 1}),
                   out = in_guarded_rows(at::empty({rows, columns}, type), 8),
                   grad_x = in.grad_before.clone(),
                   copy = at::empty({rows, columns}, in.branch.scalar_type()),
                   grad_weight = at::ones({columns});
  const at::Tensor inverse_rms_T = inverse_rms.select(1, 0);
  forward({in.x, in.branch, sum, in.weight, in.features, out, inverse_rms_T});
  backward({in.grad_out, sum, inverse_rms_T, in.weight, in.features.size(1), grad_x, false, copy,
            grad_weight});
  return {sum, out, inverse_rms, grad_x, copy, grad_weight};
}

TEST(CudaOnCpuRows, NormsEqualTheCpus) {
  for_each_size([](at::ScalarType type, int64_t rows, int64_t columns) {
    for (at::ScalarType branch_type : {at::kFloat, at::kBFloat16}) {
      if (rows == 4096 && (type == at::kFloat || branch_type == type)) continue;  // takes long
      const NormInputs in(branch_type, type, rows, columns);
      expect_twins([&] { return run_norm(in, rms_norm_forward_cuda, rms_norm_backward_cuda); },
                   [&] {
                     return run_norm(in, cpu_kernels().rms_norm_forward,
                                     cpu_kernels().rms_norm_backward);
                   },
                   {kExact, kExact, kExact, kExact, kExact, 1e-4});
    }
  });
}

// Without a branch or features, and the gradient in place of what was normed.
template <class Forward, class Backward>
Tensors run_norm_in_place(const NormInputs& in, Forward forward, Backward backward) {
  const int64_t rows = in.x.size(0), columns = in.x.size(1);
  const at::Tensor x = in.x.clone(), out = at::empty({rows, columns}, in.grad_out.scalar_type()),
                   inverse_rms = at::empty({rows}), grad_weight = at::zeros({columns});
  forward({x, {}, {}, in.weight, {}, out, inverse_rms});
  backward({in.grad_out, x, inverse_rms, in.weight, 0, x, true, {}, grad_weight});
  return {out, x, grad_weight};
}

TEST(CudaOnCpuRows, NormsInPlaceEqualTheCpus) {
  for_each_size([](at::ScalarType type, int64_t rows, int64_t columns) {
    if (rows == 4096 || columns == 1) return;  // of a single column the gradient is rounding only
    const NormInputs in(type, type, rows, columns);
    expect_twins(
        [&] { return run_norm_in_place(in, rms_norm_forward_cuda, rms_norm_backward_cuda); },
        [&] {
          return run_norm_in_place(in, cpu_kernels().rms_norm_forward,
                                   cpu_kernels().rms_norm_backward);
        },
        {kExact, 5e-5, 1e-4});
  });
}

template <class Forward, class Backward>
Tensors run_swiglu(const at::Tensor& ff, const at::Tensor& grad_out, Forward forward,
                   Backward backward) {
  const at::Tensor out = in_guarded_rows(at::empty_like(grad_out), 8),
                   grad_ff = in_guarded_rows(at::empty_like(ff), 40);
  forward(ff, out);
  backward(ff, grad_out, grad_ff);
  return {out, grad_ff};
}

TEST(CudaOnCpuRows, GatedProductsEqualTheCpus) {
  for_each_size([](at::ScalarType type, int64_t rows, int64_t columns) {
    const at::Tensor ff = in_guarded_rows(random_values({rows, 2 * columns}, 3, type), 24),
                     grad_out = in_guarded_rows(random_values({rows, columns}, 1, type), 8);
    expect_twins(
        [&] { return run_swiglu(ff, grad_out, swiglu_forward_cuda, swiglu_backward_cuda); },
        [&] {
          return run_swiglu(ff, grad_out, cpu_kernels().swiglu_forward,
                            cpu_kernels().swiglu_backward);
        },
        {kExact, kExact});
  });
}

TEST(CudaOnCpuRows, GatedProductsStayFiniteFarOut) {
  const at::Tensor ff = at::cat({at::full({1, 32}, -3e4), at::full({1, 32}, 2.0)}, 1);
  const Tensors results =
      run_swiglu(ff, at::ones({1, 32}), swiglu_forward_cuda, swiglu_backward_cuda);
  EXPECT_EQ(results[0].abs().max().item<float>(), 0);
  EXPECT_EQ(results[1].abs().max().item<float>(), 0);
}

TEST(CudaOnCpuRows, TakeNoRows) {
  const NormInputs in(at::kFloat, at::kFloat, 0, 20);
  const Tensors results = run_norm(in, rms_norm_forward_cuda, rms_norm_backward_cuda);
  EXPECT_TRUE(at::equal(results.back(), at::ones({20})));
  run_swiglu(at::empty({0, 40}), at::empty({0, 20}), swiglu_forward_cuda, swiglu_backward_cuda);
}

}  // namespace
}  // namespace sequela
