#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "sequela/encoders/progression/packed_lstm.h"
#include "sequela/encoders/progression/visit_batch.h"

namespace sequela {

// A batch's mask as bool [B, N, C], checked with its codes: std::invalid_argument for wrong shapes
// or types, ConfigError for an unmasked id outside [0, vocab_size).
at::Tensor checked_mask(const VisitBatch& batch, int64_t vocab_size);

// Bool [B, N]: true up to each patient's last visit with an unmasked code.
at::Tensor to_visit_mask(const at::Tensor& mask_BNC);

// Float32 [B, N, num_features]: the batch's own, or zeros.
at::Tensor checked_time_features(const VisitBatch& batch, int64_t num_features);

// State of an LSTM over each visit's code embeddings after its last true code, [B * N, E]; zero for
// a visit without codes. The padding row 0 of the table gets no gradient. Runs in blocks of visits
// where no graph is built, or with checkpoints.
at::Tensor encode_visits_by_lstm(const at::Tensor& table_WE, const LstmWeights& weights,
                                 const at::Tensor& codes_BNC, const at::Tensor& mask_BNC,
                                 const VisitForwardOptions& options);

}  // namespace sequela
