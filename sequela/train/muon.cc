#include "sequela/train/muon.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/nn/gemm.h"

namespace sequela {
namespace {

constexpr int kSteps = 5;
constexpr double kLinear = 3.4445, kCubic = -4.7750, kQuintic = 2.0315;

}  // namespace

at::Tensor orthogonalized(const at::Tensor& matrix, at::ScalarType type) {
  const bool is_tall = matrix.size(0) > matrix.size(1);
  at::Tensor x = is_tall ? matrix.t() : matrix;
  x = (x / (x.norm() + 1e-20)).to(type);
  for (int step = 0; step < kSteps; ++step) {
    // (a + b G + c G G) x with G = x x^T, by plain products alone: oneDNN has no fast float32 ones
    // with a factor.
    const at::Tensor gram = multiplied(x, x.t()), inner = gram * kQuintic;
    inner.diagonal().add_(kCubic);
    const at::Tensor factor = multiplied(gram, inner);
    factor.diagonal().add_(kLinear);
    x = multiplied(factor, x);
  }
  return (is_tall ? x.t() : x).to(at::kFloat);
}

at::Tensor muon_change(const at::Tensor& direction, const std::vector<ParameterPart>& parts,
                       at::ScalarType type) {
  at::Tensor change = at::empty_like(direction);
  for (const ParameterPart& part : parts) {
    const at::Tensor matrix = direction.narrow(part.dimension, part.start, part.length);
    const auto longest = static_cast<double>(std::max(matrix.size(0), matrix.size(1)));
    change.narrow(part.dimension, part.start, part.length)
        .copy_(orthogonalized(matrix, type).mul_(0.2 * std::sqrt(longest)));
  }
  return change;
}

std::vector<bool> muon_parameters(const std::vector<ParameterPart>& parts, size_t num_parameters) {
  std::vector<bool> is_muons(num_parameters);
  for (const ParameterPart& part : parts) is_muons[part.parameter] = true;
  for (const ParameterPart& part : parts) {
    if (!part.is_matrix) is_muons[part.parameter] = false;
  }
  return is_muons;
}

}  // namespace sequela
