#include "sequela/encoders/progression/visit_batch.h"

#include <ATen/ATen.h>

#include <stdexcept>
#include <vector>

#include "sequela/core/error.h"

namespace sequela {

at::Tensor checked_mask(const VisitBatch& batch, int64_t vocab_size) {
  const at::Tensor& codes = batch.codes_BNC;
  if (!codes.defined() || codes.dim() != 3 || !at::isIntegralType(codes.scalar_type(), false)) {
    throw std::invalid_argument("visits: codes must be integers [patients, visits, codes]");
  }
  if (batch.mask_BNC.defined() && batch.mask_BNC.sizes() != codes.sizes()) {
    throw std::invalid_argument(sequela::str("visits: the mask has shape ", batch.mask_BNC.sizes(),
                                             ", the codes ", codes.sizes()));
  }
  at::Tensor mask = batch.mask_BNC.defined() ? batch.mask_BNC.ne(0) : codes.ne(kPaddingId);
  const at::Tensor bad = codes.lt(0).logical_or_(codes.ge(vocab_size)).logical_and_(mask);
  if (bad.any().item<bool>()) {
    throw ConfigError(sequela::str(
        "code id ", codes.masked_select(bad)[0].item<int64_t>(), " is outside the vocabulary of ",
        vocab_size, " codes. Fix: map the codes with this model's vocabulary, or resize it."));
  }
  return mask;
}

at::Tensor to_visit_mask(const at::Tensor& mask_BNC) {
  const int64_t num_visits = mask_BNC.size(1);
  const at::Tensor numbers_N = at::arange(1, num_visits + 1, mask_BNC.options().dtype(at::kLong));
  if (mask_BNC.numel() == 0) {
    return at::zeros({mask_BNC.size(0), num_visits}, mask_BNC.options().dtype(at::kBool));
  }
  const at::Tensor last_B1 = mask_BNC.any(-1).to(at::kLong).mul_(numbers_N).amax({1}, true);
  return numbers_N.unsqueeze(0).le(last_B1);
}

at::Tensor checked_time_features(const VisitBatch& batch, int64_t num_features) {
  const at::Tensor& codes = batch.codes_BNC;
  const std::vector<int64_t> shape = {codes.size(0), codes.size(1), num_features};
  if (!batch.time_features_BNF.defined()) {
    return at::zeros(shape, codes.options().dtype(at::kFloat));
  }
  if (batch.time_features_BNF.sizes() != at::IntArrayRef(shape)) {
    throw std::invalid_argument(sequela::str("visits: the time features have shape ",
                                             batch.time_features_BNF.sizes(), ", expected ",
                                             at::IntArrayRef(shape)));
  }
  return batch.time_features_BNF.to(at::kFloat);
}

at::Tensor to_time_features(const at::Tensor& visit_days_BN, const at::Tensor& num_visits_B) {
  constexpr double kDaysPerUnit = 365;
  if (visit_days_BN.dim() != 2 || num_visits_B.dim() != 1 ||
      num_visits_B.size(0) != visit_days_BN.size(0)) {
    throw std::invalid_argument(sequela::str("time features: days of shape ", visit_days_BN.sizes(),
                                             " and numbers of visits of shape ",
                                             num_visits_B.sizes(), ", expected [B, N] and [B]"));
  }
  const at::Tensor days = visit_days_BN.to(at::kDouble);
  const int64_t num_visits = days.size(1);
  if (num_visits == 0) return at::zeros({days.size(0), 0, 2}, days.options().dtype(at::kFloat));
  const at::Tensor previous = at::cat({days.narrow(1, 0, 1), days.narrow(1, 0, num_visits - 1)}, 1);
  const at::Tensor features = at::stack({days - days.narrow(1, 0, 1), days - previous}, -1);
  const at::Tensor is_visit = at::arange(num_visits, num_visits_B.options())
                                  .unsqueeze(0)
                                  .lt(num_visits_B.unsqueeze(1))
                                  .unsqueeze(-1);
  return features.div(kDaysPerUnit).to(at::kFloat).mul(is_visit);
}

}  // namespace sequela
