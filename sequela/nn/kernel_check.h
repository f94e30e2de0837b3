#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "sequela/nn/ways.h"

namespace sequela {

// Own kernels against the plain way, on small inputs of odd sizes: what tells whether the kernels
// of a device compute what they should, on that device, before anything relies on them.

// The largest difference of an element, as a share of the root mean square of its row; of
// `least_scale` times that of all elements, if that is more: a row may be 0 but for rounding. A
// bfloat16 may be the neighbour of the one expected. NaN where one of them is NaN.
double row_error(const at::Tensor& actual, const at::Tensor& expected, double least_scale = 0.1);

struct KernelResult {
  Operation operation = Operation::norm;
  at::ScalarType type = at::kFloat;
  double error = 0;   // the largest row_error of all results, forward and backward
  double bound = 0;   // what rounding may make of it
  std::string fault;  // what the kernel threw, its first line; empty: nothing

  bool is_good() const { return fault.empty() && error <= bound; }
  // "attention of bfloat16 differs from the plain way: error 0.31 of the row, at most 0.05
  // expected"
  std::string text() const;
};

// Checks every operation that the table has, in float32 and bfloat16, forward and backward, on
// tensors of the device. Takes under a second. Inputs are the same in every run; torch's random
// state is left alone.
std::vector<KernelResult> check_kernels(const KernelTable& own, at::Device device);

// The table's operations that failed go the plain way.
void refuse_failed(const std::vector<KernelResult>& results, Ways& ways);

}  // namespace sequela
