#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/model/motor.h"

namespace sequela {

// In which type products of a precision are computed: bfloat16 where the device has such products.
at::ScalarType product_type(at::Device device, Precision precision);

// Matrix-product rate of the device in FLOP/s for a shape of the model's own kind ([2048, 768] x
// [768, 3072]), the best of many tries: what "share of the GEMM rate" is measured against. On a CPU
// without products of bfloat16 that of float32, in which they are computed. Takes about 0.4 s.
double measure_gemm_rate(at::Device device, Precision precision);

}  // namespace sequela
