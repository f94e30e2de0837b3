#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>

#include "sequela/nn/gemm.h"
#include "sequela/nn/isa.h"

namespace sequela {

// Wall and CPU seconds; on a busy machine the share by CPU time is the one to trust.
struct Cost {
  double wall = INFINITY;
  double cpu = INFINITY;
};

inline Cost cost_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC};
}

inline Cost best_of(int repeats, const std::function<void()>& work) {
  Cost best;
  for (int i = 0; i < repeats; ++i) {
    const Cost cost = cost_of(work);
    best = {std::min(best.wall, cost.wall), std::min(best.cpu, cost.cpu)};
  }
  return best;
}

// The machine's limit for matrix work, to stand beside a figure: 8,192 rows from 768 to 6,144
// columns into a kept buffer, by the library that the model uses, on the threads in use. For
// bfloat16 on a CPU without such products it is the float32 product, as in the model.
constexpr double kReferenceGflop = 2e-9 * 8'192 * 768 * 6'144;

inline Cost reference_cost(at::ScalarType type) {
  const at::ScalarType product_type = has_bf16_products() ? type : at::kFloat;
  const at::Tensor x = at::randn({8'192, 768}).to(product_type);
  const at::Tensor weight = at::randn({6'144, 768}).to(product_type);
  const at::Tensor out = at::empty({8'192, 6'144}, product_type);
  return best_of(10, [&] { linear_forward(x, weight, out); });
}

}  // namespace sequela
