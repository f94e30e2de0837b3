#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "sequela/encoders/progression/named_tensors.h"

namespace sequela {

// How the embeddings of a visit's codes become one vector.
//   attention: weights softmax(linear(tanh(linear(x)))), by <prefix>attention.{0,2}.{weight,bias}
enum class VisitPooling { mean, sum, max, attention };

VisitPooling parse_visit_pooling(const std::string& name);  // ConfigError

// Codes of several visits, only true ones.
struct VisitCodes {
  at::Tensor ids_T;        // int64
  at::Tensor visit_ids_T;  // int64, row of the output, ascending
  int64_t num_visits = 0;
};

// Reads the true codes off padded ones; see VisitBatch.
VisitCodes to_visit_codes(const at::Tensor& codes_BNC, const at::Tensor& mask_BNC);

// Pools the codes' embeddings; a visit without codes gives a zero row. Differentiable.
// Returns float32 [num_visits, E]. The padding row 0 of the table gets no gradient.
at::Tensor pool_visits(const at::Tensor& table_WE, const VisitCodes& codes, VisitPooling pooling,
                       const NamedTensors& weights, const std::string& prefix);

}  // namespace sequela
