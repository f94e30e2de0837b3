#pragma once

#include <cstdint>

#include "sequela/encoders/bert/visit_encoder.h"
#include "sequela/pipeline/encode_tokens.h"

namespace sequela {

// Embeds the sequences and pools them into the output's rows, float32 [tokens.table.num_rows, H],
// which are 0 at first. Rows without a code stay 0; returns how many. Throws what the encoder does,
// and check_lengths().
int64_t encode_rows(const EncodeTokens& tokens, const VisitEncoder& encoder, Pooling pooling,
                    float* rows_nd);

}  // namespace sequela
