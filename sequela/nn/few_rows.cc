#include "sequela/nn/few_rows.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "sequela/nn/isa.h"
#include "sequela/nn/kernels/check.h"
#include "sequela/nn/kernels/few_rows_kernels.h"
#include "sequela/nn/kernels/scratch.h"

namespace sequela {
namespace {

constexpr int64_t kGrainWeights = 1 << 16;
constexpr size_t kHugePage = size_t{1} << 21;

}  // namespace

void linear_few_rows(const at::Tensor& x_TI, const at::Tensor& weight_OI,
                     const at::Tensor& out_TO) {
  check_tensor("x_TI", x_TI, {-1, -1}, {at::kFloat});
  const int64_t inputs = x_TI.size(1);
  check_tensor("weight_OI", weight_OI, {-1, inputs}, kMixed);
  const int64_t outputs = weight_OI.size(0);
  check_tensor("out_TO", out_TO, {x_TI.size(0), outputs}, {at::kFloat});
  TORCH_CHECK_VALUE(weight_OI.is_contiguous(), "weight_OI must be contiguous");

  FewRows rows{x_TI.const_data_ptr<float>(),
               x_TI.stride(0),
               weight_OI.const_data_ptr(),
               out_TO.data_ptr<float>(),
               out_TO.stride(0),
               x_TI.size(0),
               inputs};
  const int kind = weight_OI.scalar_type() == at::kBFloat16 ? 1 : 0;
  const int64_t grain = std::max<int64_t>(1, kGrainWeights / std::max<int64_t>(inputs, 1));
  if (kernel_isa() == Isa::portable) {
    return at::parallel_for(0, outputs, grain, [&](int64_t begin, int64_t end) {
      few_rows_reference(rows, kind == 1, begin, end);
    });
  }
  const FewRowsOps& ops = kernels_in_use(kFewRowsAvx2, kFewRowsAvx512, kFewRowsAvx512Bf16);
  const int64_t width = (inputs + kFewRowsBlock - 1) / kFewRowsBlock * kFewRowsBlock;
  Scratch<float> arranged(rows.num_rows * width);
  ops.arrange[kind](rows, arranged.data());
  rows.x = arranged.data();
  rows.x_stride = width;
  at::parallel_for(0, outputs, grain,
                   [&](int64_t begin, int64_t end) { ops.product[kind](rows, begin, end); });
}

at::Tensor empty_on_huge_pages(at::IntArrayRef shape, at::ScalarType type) {
  const size_t bytes = static_cast<size_t>(c10::multiply_integers(shape)) * c10::elementSize(type);
  const size_t rounded = (std::max<size_t>(bytes, 1) + kHugePage - 1) / kHugePage * kHugePage;
  void* memory = std::aligned_alloc(kHugePage, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  madvise(memory, rounded, MADV_HUGEPAGE);  // a wish: without it, it is merely slower
  return at::from_blob(
      memory, shape, [](void* data) { std::free(data); }, at::TensorOptions(type));
}

}  // namespace sequela
