#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sequela {

// Fills a contiguous float32 tensor with what dropout multiplies by: 0 with the given probability
// (to 1 / 65536), else 1 / (1 - probability). Depends on the key alone. About four values cost one
// hash, a tenth of torch's generator.
void fill_dropout_mask(at::Tensor mask, double probability, uint64_t key);

}  // namespace sequela
