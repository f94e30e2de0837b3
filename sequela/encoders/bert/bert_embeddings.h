#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/bert/bert_input.h"
#include "sequela/encoders/progression/named_tensors.h"

namespace sequela {

// Throws std::invalid_argument for wrong shapes or types, DataError for a code id, segment or
// position outside the tables.
void check_bert_input(const BertConfig& config, const BertInput& input);

// What enters the first layer, float32 [T, H], before BERT's LayerNorm (CEHR-BERT has none).
// Differentiable. The input must have been checked.
//
// Source: transformers BertEmbeddings; cehrbert 1.5.0 CehrBertEmbeddings.
at::Tensor embed_bert_input(const BertConfig& config, const NamedTensors& weights,
                            const BertInput& input);

}  // namespace sequela
