// Plain dot products.

#include <bit>

#include "sequela/nn/kernels/few_rows_kernels.h"

namespace sequela {

void few_rows_reference(const FewRows& rows, bool is_bf16, int64_t begin, int64_t end) {
  const auto weight_at = [&](int64_t i) {
    if (!is_bf16) return static_cast<const float*>(rows.weight)[i];
    const uint32_t bits = static_cast<const uint16_t*>(rows.weight)[i];
    return std::bit_cast<float>(bits << 16);
  };
  for (int64_t t = 0; t < rows.num_rows; ++t) {
    const float* x = rows.x + t * rows.x_stride;
    for (int64_t o = begin; o < end; ++o) {
      float sum = 0;
      for (int64_t i = 0; i < rows.num_inputs; ++i) {
        sum += x[i] * weight_at(o * rows.num_inputs + i);
      }
      rows.out[t * rows.out_stride + o] = sum;
    }
  }
}

}  // namespace sequela
