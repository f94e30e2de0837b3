#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/nn/elementwise.h"
#include "sequela/nn/kernel_table.h"
#include "tests/cuda_on_cpu/twin.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

using cuda_on_cpu::device;
using cuda_on_cpu::expect_twins;
using cuda_on_cpu::in_guarded_rows;
using cuda_on_cpu::kernels;
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
      body(type, rows, columns);
    }
  }
}

struct NormInputs {
  at::Tensor x, branch, weight, features, grad_out, grad_before;

  NormInputs(at::ScalarType branch_type, at::ScalarType type, int64_t rows, int64_t columns,
             at::Device on) {
    at::manual_seed(3);
    x = in_guarded_rows(random_values({rows, columns}, 2, at::kFloat).to(on), 8);
    branch = in_guarded_rows(random_values({rows, columns}, 1, branch_type).to(on), 16);
    weight = random_values({columns}, 1, at::kFloat).to(on);
    features = random_values({rows, std::min<int64_t>(columns, 5)}, 1, at::kFloat).to(on);
    grad_out = in_guarded_rows(random_values({rows, columns}, 1, type).to(on), 8);
    grad_before = random_values({rows, columns}, 1, at::kFloat).to(on);
  }
};

Tensors run_norm(const NormInputs& in, const KernelTable& table) {
  const int64_t rows = in.x.size(0), columns = in.x.size(1);
  const at::TensorOptions floats = in.weight.options();
  const at::Tensor sum = at::empty({rows, columns}, floats),
                   inverse_rms = at::empty({rows, 1}, floats),
                   out = in_guarded_rows(at::empty({rows, columns}, in.grad_out.options()), 8),
                   grad_x = in.grad_before.clone(),
                   copy = at::empty({rows, columns}, in.branch.options()),
                   grad_weight = at::ones({columns}, floats);
  const at::Tensor inverse_rms_T = inverse_rms.select(1, 0);
  table.rms_norm_forward({in.x, in.branch, sum, in.weight, in.features, out, inverse_rms_T});
  table.rms_norm_backward({in.grad_out, sum, inverse_rms_T, in.weight, in.features.size(1), grad_x,
                           false, copy, grad_weight});
  return {sum, out, inverse_rms, grad_x, copy, grad_weight};
}

TEST(CudaRows, NormsEqualTheCpus) {
  for_each_size([](at::ScalarType type, int64_t rows, int64_t columns) {
    for (at::ScalarType branch_type : {at::kFloat, at::kBFloat16}) {
      if (rows == 4096 && (type == at::kFloat || branch_type == type)) continue;  // takes long
      const NormInputs in(branch_type, type, rows, columns, device()),
          same(branch_type, type, rows, columns, at::kCPU);
      expect_twins([&] { return run_norm(in, kernels()); },
                   [&] { return run_norm(same, cpu_kernels()); },
                   {kExact, kExact, kExact, kExact, kExact, 1e-4});
    }
  });
}

// Without a branch or features, and the gradient in place of what was normed.
Tensors run_norm_in_place(const NormInputs& in, const KernelTable& table) {
  const int64_t rows = in.x.size(0), columns = in.x.size(1);
  const at::TensorOptions floats = in.weight.options();
  const at::Tensor x = in.x.clone(), out = at::empty({rows, columns}, in.grad_out.options()),
                   inverse_rms = at::empty({rows}, floats),
                   grad_weight = at::zeros({columns}, floats);
  table.rms_norm_forward({x, {}, {}, in.weight, {}, out, inverse_rms});
  table.rms_norm_backward({in.grad_out, x, inverse_rms, in.weight, 0, x, true, {}, grad_weight});
  return {out, x, grad_weight};
}

TEST(CudaRows, NormsInPlaceEqualTheCpus) {
  for_each_size([](at::ScalarType type, int64_t rows, int64_t columns) {
    if (rows == 4096 || columns == 1) return;  // of a single column the gradient is rounding only
    const NormInputs in(type, type, rows, columns, device()),
        same(type, type, rows, columns, at::kCPU);
    expect_twins([&] { return run_norm_in_place(in, kernels()); },
                 [&] { return run_norm_in_place(same, cpu_kernels()); }, {kExact, 5e-5, 1e-4});
  });
}

Tensors run_swiglu(const at::Tensor& ff, const at::Tensor& grad_out, const KernelTable& table) {
  const at::Tensor out = in_guarded_rows(at::empty_like(grad_out), 8),
                   grad_ff = in_guarded_rows(at::empty_like(ff), 40);
  table.swiglu_forward(ff, out);
  table.swiglu_backward(ff, grad_out, grad_ff);
  return {out, grad_ff};
}

TEST(CudaRows, GatedProductsEqualTheCpus) {
  for_each_size([](at::ScalarType type, int64_t rows, int64_t columns) {
    at::manual_seed(3);
    const at::Tensor ff = random_values({rows, 2 * columns}, 3, type),
                     grad_out = random_values({rows, columns}, 1, type);
    const auto run_on = [&](at::Device on, const KernelTable& table) {
      return run_swiglu(in_guarded_rows(ff.to(on), 24), in_guarded_rows(grad_out.to(on), 8), table);
    };
    expect_twins([&] { return run_on(device(), kernels()); },
                 [&] { return run_on(at::kCPU, cpu_kernels()); }, {kExact, kExact});
  });
}

TEST(CudaRows, GatedProductsStayFiniteFarOut) {
  const at::Tensor ff = at::cat({at::full({1, 32}, -3e4), at::full({1, 32}, 2.0)}, 1);
  const Tensors results = run_swiglu(ff.to(device()), at::ones({1, 32}, device()), kernels());
  EXPECT_EQ(results[0].abs().max().item<float>(), 0);
  EXPECT_EQ(results[1].abs().max().item<float>(), 0);
}

TEST(CudaRows, TakeNoRows) {
  const NormInputs in(at::kFloat, at::kFloat, 0, 20, device());
  const Tensors results = run_norm(in, kernels());
  EXPECT_TRUE(at::equal(results.back().cpu(), at::ones({20})));
  run_swiglu(at::empty({0, 40}, device()), at::empty({0, 20}, device()), kernels());
}

}  // namespace
}  // namespace sequela
