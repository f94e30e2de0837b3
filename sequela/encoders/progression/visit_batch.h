#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace sequela {

// Patients as padded visits of padded codes.
//
//   B = patients, N = visits, C = codes of a visit
//
// A patient's visits end at the last one with an unmasked code; what follows is padding and costs
// nothing. A visit without codes before that is a visit like any other, whose codes sum to zero.
struct VisitBatch {
  at::Tensor codes_BNC;          // int64 or int32, ids; 0 = padding
  at::Tensor mask_BNC;           // any type, not 0 = a code; undefined: codes != 0
  at::Tensor time_features_BNF;  // float32; F = 2 for the progression model, 3 for survival with
                                 // time; undefined: zeros
};

inline constexpr int64_t kPaddingId = 0;

// A batch's mask as bool [B, N, C], checked with its codes: std::invalid_argument for wrong shapes
// or types, ConfigError for an unmasked id outside [0, vocab_size).
at::Tensor checked_mask(const VisitBatch& batch, int64_t vocab_size);

// Bool [B, N]: true up to each patient's last visit with an unmasked code.
at::Tensor to_visit_mask(const at::Tensor& mask_BNC);

// Float32 [B, N, num_features]: the batch's own, or zeros.
at::Tensor checked_time_features(const VisitBatch& batch, int64_t num_features);

// How a model of visits runs.
struct VisitForwardOptions {
  bool is_training = false;  // dropout is active
  // Of the dropout, the CPU's; torch's default one of the device if there is none.
  std::optional<at::Generator> generator;
  bool use_bf16 = false;        // matrix products in bfloat16; weights and states stay float32
  bool use_checkpoint = false;  // the LSTM over codes is computed again in the backward pass, block
                                // of visits by block, instead of kept
  int64_t block_codes = 65'536;  // codes in one such block, and in one block of an inference
};

// Days from each patient's first visit and from the visit before, over 365, as the published model
// was given them: float32 [B, N, 2]. visit_days_BN: any numeric type, ascending per row; entries at
// or after num_visits_B[b] give 0. std::invalid_argument for other shapes.
at::Tensor to_time_features(const at::Tensor& visit_days_BN, const at::Tensor& num_visits_B);

}  // namespace sequela
