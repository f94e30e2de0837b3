#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "sequela/nn/parameters.h"

namespace sequela {

// Muon: a matrix moves along the singular vectors of its averaged gradient, all by the same length,
// so that what few records tell is learned as fast as what all tell. Sources: K. Jordan et al.,
// kellerjordan.github.io/posts/muon, 2024; Liu et al., arXiv:2502.16982.

// A matrix of the same singular vectors, its singular values between 0.7 and 1.2 (but for those
// below a thousandth of the norm, which grow less): five steps of Newton-Schulz with the published
// coefficients. Products are of `type`; the result is float32.
at::Tensor orthogonalized(const at::Tensor& matrix, at::ScalarType type);

// The change of a parameter for a direction of its shape, at a learning rate of 1: each part
// orthogonalised, times 0.2 sqrt(max(rows, columns)), which makes its root mean square about 0.2,
// as AdamW's is. The parts cover the parameter.
at::Tensor muon_change(const at::Tensor& direction, const std::vector<ParameterPart>& parts,
                       at::ScalarType type);

// By parameter: whether it is Muon's, which takes those whose parts are all matrices.
std::vector<bool> muon_parameters(const std::vector<ParameterPart>& parts, size_t num_parameters);

}  // namespace sequela
