#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "sequela/nn/parameters.h"

namespace sequela {

// Low-rank adaptation (LoRA, arXiv:2106.09685) of a backbone: each matrix of its layers'
// projections is W + B A, where W stays as it was and B [outputs, rank] and A [rank, inputs] learn.
// The model holds the sum, so that its passes, and a bundle of it, know nothing of factors.
class LowRank {
 public:
  // Refers to the model's parameters and copies the matrices. A is drawn uniformly within
  // 1 / sqrt(inputs), from `seed` and the matrix's name; B is 0. rank: at least 1.
  LowRank(Parameters& model, int64_t rank, uint64_t seed);

  // The factors, "<matrix>.lora_a" and "<matrix>.lora_b"; float32, on the model's device.
  const Parameters& factors() const { return factors_; }
  // Puts the sums into the model after the factors changed.
  void merge();
  // Adds to the factors' gradients what follows from the model's, which are 0 afterwards.
  void take_gradients();

 private:
  struct Matrix {
    size_t index = 0;  // in the model's items; 2 * its place here, and one more, in the factors'
    at::Tensor start;
  };

  Parameters& model_;
  std::vector<Matrix> matrices_;
  Parameters factors_;
};

}  // namespace sequela
