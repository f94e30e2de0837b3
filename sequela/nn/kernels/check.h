#pragma once

#include <ATen/core/Tensor.h>

#include <initializer_list>

namespace sequela {

// Throws std::invalid_argument, naming the tensor, unless it is defined, has this shape (-1 = any),
// one of the types, and unit stride in its last dimension.
void check_tensor(const char* name, const at::Tensor& tensor, std::initializer_list<int64_t> shape,
                  std::initializer_list<at::ScalarType> types);

// float32 or bfloat16.
inline constexpr std::initializer_list<at::ScalarType> kMixed = {at::kFloat, at::kBFloat16};
// What has a plain way takes others by it (ways.h).
inline constexpr std::initializer_list<at::ScalarType> kFloating = {at::kFloat, at::kBFloat16,
                                                                    at::kHalf, at::kDouble};

}  // namespace sequela
