#include "sequela/nn/gemm.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/native/CPUBlas.h>

#include <cstdlib>

#include "sequela/nn/elementwise.h"

namespace sequela {
namespace {

// With AMX, "medium" precision would compute float32 products in bfloat16. Packing is offered
// exactly there.
bool has_amx() {
  return at::native::cpublas::could_pack(at::kBFloat16);
}

}  // namespace

void bound_product_caches() {
  // oneDNN, and the layer between it and torch, each keep the compiled products of the last 1,024
  // shapes, 0.4 MB apiece, and look through all to drop one: batches of ever new sizes would fill
  // both. A training step has some 40 shapes.
  for (const char* capacity : {"ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"}) {
    setenv(capacity, "64", /*overwrite=*/0);
  }
}

void configure_gemm() {
  bound_product_caches();
  // "medium" lets oneDNN do float32 products; MKL's run at AVX2 speed on AMD.
  if (!has_amx()) at::globalContext().setFloat32MatmulPrecision("medium");
}

void linear_forward(const at::Tensor& x_TI, const at::Tensor& weight_OI, at::Tensor out_TO) {
  at::mm_out(out_TO, x_TI, weight_OI.t());
}

void linear_backward_input(const at::Tensor& grad_out_TO, const at::Tensor& weight_OI,
                           at::Tensor grad_x_TI) {
  at::mm_out(grad_x_TI, grad_out_TO, weight_OI);
}

void linear_backward_weight(const at::Tensor& grad_out_TO, const at::Tensor& x_TI,
                            const at::Tensor& scratch, const at::Tensor& grad_weight_OI) {
  at::Tensor part =
      scratch.view({-1}).narrow(0, 0, grad_weight_OI.numel()).view(grad_weight_OI.sizes());
  at::mm_out(part, grad_out_TO.t(), x_TI);
  accumulate(grad_weight_OI, part);
}

}  // namespace sequela
