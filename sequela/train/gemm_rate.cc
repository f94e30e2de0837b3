#include "sequela/train/gemm_rate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>

#include "sequela/nn/gemm.h"
#include "sequela/nn/isa.h"

namespace sequela {

at::ScalarType product_type(at::Device device, Precision precision) {
  const bool has_products = !device.is_cpu() || has_bf16_products();
  return precision == Precision::bf16 && has_products ? at::kBFloat16 : at::kFloat;
}

double measure_gemm_rate(at::Device device, Precision precision) {
  const int64_t scale = device.is_cuda() ? 4 : 1;
  const int64_t rows = 2048 * scale, inner = 768 * scale, columns = 3072 * scale;
  const auto options = at::TensorOptions(device).dtype(product_type(device, precision));
  const at::Tensor a = at::ones({rows, inner}, options), b = at::ones({inner, columns}, options);
  const at::Tensor out = at::empty({rows, columns}, options);
  // Long enough to outlast other programs' moments on the cores.
  constexpr double kTotalSeconds = 0.4;
  double best_seconds = 1e30, total_seconds = 0;
  while (total_seconds < kTotalSeconds) {
    const auto start = std::chrono::steady_clock::now();
    multiply(a, b, out);
    out[0][0].item();  // waits for the device
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    best_seconds = std::min(best_seconds, elapsed.count());
    total_seconds += elapsed.count();
  }
  return 2.0 * static_cast<double>(rows * inner) * static_cast<double>(columns) / best_seconds;
}

}  // namespace sequela
