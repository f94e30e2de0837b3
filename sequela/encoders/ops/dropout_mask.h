#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace sequela {

// Fills a contiguous float32 tensor with what dropout multiplies by: 0 with the given probability
// (to 1 / 65536), else 1 / (1 - probability). Depends on the key alone, not on the device. About
// four values cost one hash, a tenth of torch's generator.
void fill_dropout_mask(at::Tensor mask, double probability, uint64_t key);

// The same, bit for bit, in torch's operations: what other devices than the CPU do.
void fill_dropout_mask_plain(at::Tensor mask, double probability, uint64_t key);

// x with dropout by torch's generator, drawn where the generator is (the CPU: what is dropped does
// not depend on the device), else where x is. Differentiable.
at::Tensor dropped(const at::Tensor& x, double probability,
                   const std::optional<at::Generator>& generator);

}  // namespace sequela
