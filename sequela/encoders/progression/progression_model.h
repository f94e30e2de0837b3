#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/encoders/progression/progression_config.h"
#include "sequela/encoders/progression/visit_batch.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// LSTMProgressionModel: disease stage and time to progression after each visit of a patient.
//
//   codes -> code_embeddings -> visit_lstm (E -> E), state after the visit's last code ->
//   visit_projection (E -> V) -> with 2 time features -> sequence_lstm (V + 2 -> H, num_layers) ->
//   dropout -> stage_classifier (S) and relu(time_to_progression)
//
//   B = patients, N = visits, S = stages, H = hidden size, V = visit embedding, L = layers
//
// Only true codes and visits are computed (both LSTMs run on packed sequences). A visit without
// codes has representation 0 (so its embedding is the projection's bias). After a patient's last
// visit the sequence output is 0, so the logits there are the classifier's bias.
//
// Source: ehr-sequencing, docs/implementation/resource-aware-models.md, part 2, made aware of
// lengths.
struct ProgressionOutput {
  at::Tensor stage_logits_BNS;
  at::Tensor time_to_progression_BN1;  // >= 0, in the unit of the training targets
  at::Tensor sequence_output_BNH;      // before the dropout
  at::Tensor visit_embed_BNV;
  at::Tensor final_hidden_LBH;  // state of each layer after the patient's last visit
};

// Runs the model; differentiable in the weights. std::invalid_argument for wrong shapes or a
// missing weight, ConfigError for an id outside the vocabulary.
ProgressionOutput forward_progression(const ProgressionConfig& config, const NamedTensors& weights,
                                      const VisitBatch& batch,
                                      const VisitForwardOptions& options = {});

// Fresh weights from `seed` alone, distributed as torch.nn's modules start: embeddings N(0, 1) with
// a zero padding row, the rest uniform within 1 / sqrt(fan).
Parameters init_progression_parameters(const ProgressionConfig& config, uint64_t seed);

// Weights of a model.safetensors, names as above; further tensors of the file are not read.
// FileError that names a tensor that is missing or has another shape.
Parameters read_progression_parameters(const ProgressionConfig& config, const std::string& path);

// Mean cross entropy of the stages over labels that are not -100; 0 if there is none.
//   labels_BN  int64
at::Tensor stage_loss(const at::Tensor& stage_logits_BNS, const at::Tensor& labels_BN);

}  // namespace sequela
