#include "sequela/nn/gemm.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>

#include "sequela/nn/elementwise.h"
#include "sequela/nn/isa.h"

// oneDNN's product of torch's own tensors, result = beta result + alpha a b. torch exports it, and
// ships no header of it.
namespace at::native {
TORCH_API void mkldnn_matmul(const Tensor& a, const Tensor& b, const Tensor& result, float beta,
                             float alpha);
}  // namespace at::native

namespace sequela {
namespace {

constexpr int64_t kWidenedRows = 1'024;

// Float32 products that oneDNN does: at::mm would take MKL, which runs at AVX2's speed on AMD's
// CPUs.
bool is_for_onednn(const at::Tensor& a, const at::Tensor& b) {
  return a.is_cpu() && a.scalar_type() == at::kFloat && has_onednn_products() && a.numel() > 0 &&
         b.numel() > 0;
}

void multiply_widened(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out) {
  const at::Tensor wide_b = b.to(at::kFloat);
  for (int64_t row = 0; row < a.size(0); row += kWidenedRows) {
    const int64_t rows = std::min(kWidenedRows, a.size(0) - row);
    const at::Tensor wide_a = a.narrow(0, row, rows).to(at::kFloat);
    const at::Tensor product = at::empty({rows, b.size(1)}, wide_a.options());
    multiply(wide_a, wide_b, product);
    out.narrow(0, row, rows).copy_(product);
  }
}

}  // namespace

void bound_product_caches() {
  // oneDNN, and the layer between it and torch, each keep the compiled products of the last 1,024
  // shapes, 0.4 to 1.1 MB apiece, and look through all to drop one: batches of ever new sizes would
  // fill both. A training step has some 40 shapes, for each of a few numbers of rows.
  for (const char* capacity : {"ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"}) {
    setenv(capacity, "128", /*overwrite=*/0);
  }
}

void multiply(const at::Tensor& a_MK, const at::Tensor& b_KN, const at::Tensor& out_MN) {
  at::Tensor out = out_MN;
  if (out.is_cpu() && out.scalar_type() == at::kBFloat16 && !has_bf16_products())
    return multiply_widened(a_MK, b_KN, out);
  if (is_for_onednn(a_MK, b_KN)) {
    at::native::mkldnn_matmul(a_MK, b_KN, out, /*beta=*/0, /*alpha=*/1);
  } else {
    at::mm_out(out, a_MK, b_KN);
  }
}

at::Tensor multiplied(const at::Tensor& a_MK, const at::Tensor& b_KN) {
  at::Tensor out = at::empty({a_MK.size(0), b_KN.size(1)}, a_MK.options());
  multiply(a_MK, b_KN, out);
  return out;
}

void multiply_add(const at::Tensor& a_MK, const at::Tensor& b_KN, const at::Tensor& out_MN) {
  at::Tensor out = out_MN;
  if (is_for_onednn(a_MK, b_KN)) {
    at::native::mkldnn_matmul(a_MK, b_KN, out, /*beta=*/1, /*alpha=*/1);
  } else {
    out.addmm_(a_MK, b_KN);
  }
}

void multiply_batches(const at::Tensor& a_BMK, const at::Tensor& b_BKN, const at::Tensor& out_BMN) {
  at::Tensor out = out_BMN;
  if (is_for_onednn(a_BMK, b_BKN)) {
    at::native::mkldnn_matmul(a_BMK, b_BKN, out, /*beta=*/0, /*alpha=*/1);
  } else {
    at::bmm_out(out, a_BMK, b_BKN);
  }
}

void linear_forward(const at::Tensor& x_TI, const at::Tensor& weight_OI, const at::Tensor& out_TO) {
  multiply(x_TI, weight_OI.t(), out_TO);
}

void linear_backward_input(const at::Tensor& grad_out_TO, const at::Tensor& weight_OI,
                           const at::Tensor& grad_x_TI) {
  multiply(grad_out_TO, weight_OI, grad_x_TI);
}

void linear_backward_weight(const at::Tensor& grad_out_TO, const at::Tensor& x_TI,
                            const at::Tensor& scratch, const at::Tensor& grad_weight_OI) {
  const at::Tensor part =
      scratch.view({-1}).narrow(0, 0, grad_weight_OI.numel()).view(grad_weight_OI.sizes());
  multiply(grad_out_TO.t(), x_TI, part);
  accumulate(grad_weight_OI, part);
}

}  // namespace sequela
