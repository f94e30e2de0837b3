#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/encoders/progression/packed_lstm.h"
#include "sequela/encoders/progression/visit_batch.h"

namespace sequela {

// State of an LSTM over each visit's code embeddings after its last true code, [B * N, E]; zero for
// a visit without codes. The padding row 0 of the table gets no gradient. Runs in blocks of visits
// where no graph is built, or with checkpoints.
at::Tensor encode_visits_by_lstm(const at::Tensor& table_WE, const LstmWeights& weights,
                                 const at::Tensor& codes_BNC, const at::Tensor& mask_BNC,
                                 const VisitForwardOptions& options);

}  // namespace sequela
