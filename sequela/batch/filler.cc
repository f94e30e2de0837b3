#include "sequela/batch/filler.h"

#include <ATen/ATen.h>

#include <vector>

#include "sequela/nn/gemm.h"

namespace sequela {

void fill_up(BatchInputs& inputs) {
  const int64_t tokens = inputs.ages_days_T.size(0);
  const int64_t filling = padded_rows(tokens) - tokens;
  if (filling == 0) return;
  const auto append = [&](at::Tensor& tensor, int64_t rows, int64_t value) {
    std::vector<int64_t> shape = tensor.sizes().vec();
    shape[0] = rows;
    tensor = at::cat({tensor, at::full(shape, value, tensor.options())});
  };
  append(inputs.subject_ids_S, 1, 0);
  append(inputs.lengths_S, 1, filling);
  append(inputs.token_offsets_T1, filling, inputs.token_ids_N.size(0));
  append(inputs.ages_days_T, filling, 0);
  append(inputs.time_data_T5, filling, 0);
  append(inputs.timestamps_T, filling, 0);
}

}  // namespace sequela
