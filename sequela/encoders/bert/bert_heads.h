#pragma once

#include <ATen/core/Tensor.h>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/bert/bert_input.h"
#include "sequela/encoders/bert/bert_model.h"
#include "sequela/encoders/progression/named_tensors.h"

namespace sequela {

// Heads of the BERT family, differentiable as bert_forward is. Weights: all of a model's.
//
//   T = tokens, S = sequences (classifier: one each), V = vocabulary, H = hidden size
//
// Source: transformers BertOnlyMLMHead; cehrbert 1.5.0.

// Scores of every code for every token, float32 [T, V]. The decoder is the word embeddings.
at::Tensor mlm_logits(const BertConfig& config, const NamedTensors& weights,
                      const at::Tensor& hidden_TH);

// BertForPreTraining's second head on the pooled states, float32 [S, 2] (Med-BERT's prolonged
// stay).
at::Tensor sequence_relationship_logits(const NamedTensors& weights, const at::Tensor& pooled_SH);

// The value head of CEHR-BERT (include_value_prediction), float32 [T].
at::Tensor predict_values(const BertConfig& config, const NamedTensors& weights,
                          const at::Tensor& hidden_TH);

struct MlmLoss {
  at::Tensor total;   // scalar
  at::Tensor codes;   // mean cross entropy over labelled tokens
  at::Tensor values;  // mean over `num_places` of squared errors; undefined without that head
};

// labels_T: int64, -100 where nothing is predicted. CEHR-BERT without value prediction does not
// predict codes that carry a value. `num_places` is B * L of the padded batch, the package's
// denominator of the value loss (0: T). Logits are made for labelled tokens only.
MlmLoss mlm_loss(const BertConfig& config, const NamedTensors& weights, const at::Tensor& hidden_TH,
                 const BertInput& input, const at::Tensor& labels_T, int64_t num_places = 0);

// CEHR-BERT's classifiers.
enum class CehrClassifier {
  pooled,  // CehrBertForClassification, from the tanh pooler
  cls,     // the same on packed samples, from the raw first hidden state
  lstm,    // CehrBertLstmForClassification, bidirectional LSTM over each sequence's tokens
};

struct ClassifierRequest {
  CehrClassifier kind = CehrClassifier::pooled;
  at::Tensor ages_S;         // float32, age at the index date, years
  bool is_training = false;  // batch statistics of the ages (if S > 1), and their running means
                             // updated in the weights in place; dropout with a generator
  BertDropout dropout;
};

// float32 [S], before the sigmoid.
at::Tensor classifier_logits(const BertConfig& config, const NamedTensors& weights,
                             const BertOutput& encoded, const BertInput& input,
                             const ClassifierRequest& request);

// Mean binary cross entropy; labels_S float32, 0 or 1.
at::Tensor classifier_loss(const at::Tensor& logits_S, const at::Tensor& labels_S);

}  // namespace sequela
