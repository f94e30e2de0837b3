#include "sequela/model/span_means.h"

#include <ATen/ATen.h>

namespace sequela {

at::Tensor span_means(const at::Tensor& x_TH, const at::Tensor& lengths_S,
                      const at::Tensor& firsts_L, const at::Tensor& lasts_L) {
  const at::Tensor running_TH = x_TH.to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
  const int32_t* lengths = lengths_S.const_data_ptr<int32_t>();
  int64_t first = 0;
  for (int64_t s = 0; s < lengths_S.size(0); first += lengths[s++])
    running_TH.narrow(0, first, lengths[s]).cumsum_(0);
  const at::Tensor before_LH =
      running_TH.index_select(0, firsts_L) - x_TH.index_select(0, firsts_L);
  const at::Tensor sums_LH = running_TH.index_select(0, lasts_L) - before_LH;
  return (sums_LH / (lasts_L - firsts_L + 1).unsqueeze(1)).to(at::kFloat);
}

}  // namespace sequela
