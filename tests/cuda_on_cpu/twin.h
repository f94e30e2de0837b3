#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "sequela/core/error.h"
#include "sequela/nn/kernel_check.h"
#include "tests/cuda_on_cpu/orders.h"
#include "tests/support/isa.h"

namespace sequela::cuda_on_cpu {

using Tensors = std::vector<at::Tensor>;

using sequela::row_error;

// The results of a CUDA function on the device, the same bits in every order of its threads,
// against those of the same function on the CPU with each instruction set; the portable one is the
// plain reference. `bounds`: of row_error, for each result.
template <class OnDevice, class OnCpu>
void expect_twins(OnDevice on_device, OnCpu on_cpu, const std::vector<double>& bounds) {
  const std::vector<Tensors> runs = in_every_order(on_device);
  for (size_t i = 0; i < bounds.size(); ++i) {
    for (size_t run = 1; run < runs.size(); ++run)
      EXPECT_TRUE(at::equal(runs[run][i], runs[0][i])) << "result " << i << ", order " << run;
  }
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    const Tensors expected = on_cpu();
    for (size_t i = 0; i < bounds.size(); ++i)
      EXPECT_LT(row_error(runs[0][i], expected[i], least_scale()), bounds[i])
          << "result " << i << ", " << to_text(isa);
  }
}

// A copy with a wider row stride, whose last element is the buffer's last: the sanitizer sees what
// goes beyond.
inline at::Tensor in_guarded_rows(const at::Tensor& x, int64_t extra_columns) {
  const at::Tensor flat = x.flatten(1);
  const at::Tensor buffer = at::full({flat.size(0), flat.size(1) + extra_columns}, 7, x.options());
  const at::Tensor view = buffer.narrow(1, extra_columns, flat.size(1));
  view.copy_(flat);
  return x.dim() == 3 ? view.unflatten(1, {x.size(1), x.size(2)}) : view;
}

inline const char* name_of(at::ScalarType type) {
  return type == at::kFloat ? "float32" : "bfloat16";
}

}  // namespace sequela::cuda_on_cpu
