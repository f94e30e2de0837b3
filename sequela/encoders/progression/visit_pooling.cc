#include "sequela/encoders/progression/visit_pooling.h"

#include <ATen/ATen.h>

#include <limits>

#include "sequela/core/error.h"
#include "sequela/encoders/progression/visit_batch.h"

namespace sequela {
namespace {

// Softmax over the codes of each visit.
at::Tensor softmax_by_visit(const at::Tensor& scores_T, const VisitCodes& codes) {
  const at::Tensor& visits = codes.visit_ids_T;
  const at::Tensor lowest = at::full({codes.num_visits}, -std::numeric_limits<float>::infinity(),
                                     scores_T.options().requires_grad(false));
  const at::Tensor peaks = lowest.scatter_reduce(0, visits, scores_T.detach(), "amax");
  const at::Tensor terms = (scores_T - peaks.index_select(0, visits)).exp();
  const at::Tensor sums = at::zeros_like(peaks).index_add(0, visits, terms);
  return terms / sums.index_select(0, visits);
}

at::Tensor attention_scores(const at::Tensor& x_TE, const NamedTensors& weights,
                            const std::string& prefix) {
  const int64_t size = x_TE.size(1), half = size / 2;
  const std::string name = prefix + "attention.";
  const at::Tensor hidden = at::linear(x_TE, get_tensor(weights, name + "0.weight", {half, size}),
                                       get_tensor(weights, name + "0.bias", {half}))
                                .tanh();
  return at::linear(hidden, get_tensor(weights, name + "2.weight", {1, half}),
                    get_tensor(weights, name + "2.bias", {1}))
      .squeeze(1);
}

}  // namespace

VisitPooling parse_visit_pooling(const std::string& name) {
  if (name == "mean") return VisitPooling::mean;
  if (name == "sum") return VisitPooling::sum;
  if (name == "max") return VisitPooling::max;
  if (name == "attention") return VisitPooling::attention;
  throw ConfigError("visit pooling", name, "mean, sum, max or attention");
}

VisitCodes to_visit_codes(const at::Tensor& codes_BNC, const at::Tensor& mask_BNC) {
  const at::Tensor places = mask_BNC.reshape({-1}).nonzero().squeeze(1);
  return {codes_BNC.reshape({-1}).to(at::kLong).index_select(0, places),
          places.div(codes_BNC.size(2), "floor"), codes_BNC.size(0) * codes_BNC.size(1)};
}

at::Tensor pool_visits(const at::Tensor& table_WE, const VisitCodes& codes, VisitPooling pooling,
                       const NamedTensors& weights, const std::string& prefix) {
  const at::Tensor& visits = codes.visit_ids_T;
  at::Tensor x = at::embedding(table_WE, codes.ids_T, kPaddingId);
  const at::Tensor zeros =
      at::zeros({codes.num_visits, x.size(1)}, x.options().requires_grad(false));
  if (pooling == VisitPooling::max) {
    return zeros.scatter_reduce(0, visits.unsqueeze(1).expand_as(x), x, "amax",
                                /*include_self=*/false);
  }
  if (pooling == VisitPooling::attention) {
    x = x * softmax_by_visit(attention_scores(x, weights, prefix), codes).unsqueeze(1);
  }
  const at::Tensor sums = zeros.index_add(0, visits, x);
  if (pooling != VisitPooling::mean) return sums;
  const at::Tensor counts = at::bincount(visits, {}, codes.num_visits).clamp_min(1).unsqueeze(1);
  return sums / counts;
}

}  // namespace sequela
