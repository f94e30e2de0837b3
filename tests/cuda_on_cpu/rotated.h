#pragma once

#include <ATen/ATen.h>

namespace sequela::cuda_on_cpu {

// x rotated by torch's own complex products, in double.
inline at::Tensor rotated(const at::Tensor& x_THD, const at::Tensor& cosines,
                          const at::Tensor& sines) {
  const at::Tensor pairs =
      at::view_as_complex(x_THD.to(at::kDouble).contiguous().unflatten(2, {x_THD.size(2) / 2, 2}));
  const at::Tensor turns = at::complex(cosines.to(at::kDouble), sines.to(at::kDouble));
  return at::view_as_real(pairs * turns.unsqueeze(1)).flatten(2);
}

}  // namespace sequela::cuda_on_cpu
