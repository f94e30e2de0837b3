#include "sequela/encoders/bert/bert_heads.h"

#include <ATen/ATen.h>

#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_weights.h"
#include "sequela/encoders/ops/differentiable_ops.h"
#include "sequela/encoders/ops/dropout_mask.h"

namespace sequela {
namespace {

constexpr int64_t kNoLabel = -100;

at::Tensor dense(const NamedTensors& weights, const std::string& name, const at::Tensor& x) {
  return at::linear(x, get_tensor(weights, name + ".weight"), get_tensor(weights, name + ".bias"));
}

at::Tensor norm(const BertConfig& config, const NamedTensors& weights, const std::string& name,
                const at::Tensor& x) {
  return at::layer_norm(x, {x.size(1)}, get_tensor(weights, name + ".weight"),
                        get_tensor(weights, name + ".bias"), config.layer_norm_eps);
}

at::Tensor drop(const at::Tensor& x, double probability, const BertDropout& dropout) {
  if (!dropout.generator || probability == 0) return x;
  return dropped(x, probability, dropout.generator);
}

// Where there is a label, as CEHR-BERT sees it.
at::Tensor labelled(const BertConfig& config, const BertInput& input, const at::Tensor& labels_T) {
  const at::Tensor has_label = labels_T.ne(kNoLabel);
  const bool leaves_values_out = config.kind == BertKind::cehr_bert &&
                                 !config.include_value_prediction && input.value_mask_T.defined();
  return leaves_values_out ? has_label.logical_and(input.value_mask_T.logical_not()) : has_label;
}

at::Tensor value_loss(const BertConfig& config, const NamedTensors& weights,
                      const at::Tensor& hidden_TH, const BertInput& input,
                      const at::Tensor& labels_T, int64_t num_places) {
  const at::Tensor places =
      at::nonzero(labels_T.ne(kNoLabel).logical_and(input.value_mask_T)).squeeze(1);
  const at::Tensor predicted = predict_values(config, weights, hidden_TH.index_select(0, places));
  const at::Tensor error = predicted - input.values_T.index_select(0, places);
  return error.square().sum() / static_cast<double>(num_places);
}

// Ages normalised by the batch's statistics, or by the running ones.
at::Tensor normalise_ages(const NamedTensors& weights, const ClassifierRequest& request) {
  const at::Tensor& weight = get_tensor(weights, "age_batch_norm.weight");
  const at::Tensor ages = request.ages_S.to(weight.device(), at::kFloat).view({-1, 1});
  const bool uses_batch = request.is_training && ages.size(0) > 1;
  if (uses_batch) {
    const auto counter = weights.find("age_batch_norm.num_batches_tracked");
    if (counter != weights.end()) counter->second.add_(1);
  }
  return at::batch_norm(ages, weight, get_tensor(weights, "age_batch_norm.bias"),
                        get_tensor(weights, "age_batch_norm.running_mean"),
                        get_tensor(weights, "age_batch_norm.running_var"), uses_batch,
                        /*momentum=*/0.1, /*eps=*/1e-5, /*cudnn_enabled=*/false);
}

// Last states of both directions of an LSTM over each sequence's tokens, [S, 2H] (or [S, H]).
at::Tensor run_lstm(const BertConfig& config, const NamedTensors& weights,
                    const at::Tensor& hidden_TH, const at::Tensor& lengths_S) {
  const int64_t hidden = config.hidden_size, sequences = lengths_S.size(0);
  std::vector<at::Tensor> parameters;
  const std::vector<std::string> directions = config.bidirectional
                                                  ? std::vector<std::string>{"", "_reverse"}
                                                  : std::vector<std::string>{""};
  for (const std::string& direction : directions) {
    for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}) {
      parameters.push_back(get_tensor(weights, "lstm." + (name + direction)));
    }
  }
  // torch's packed sequences: by descending length, then step by step.
  const at::Tensor order = at::argsort(lengths_S, /*stable=*/true, /*dim=*/0, /*descending=*/true);
  const at::Tensor lengths = lengths_S.index_select(0, order);
  std::vector<at::Tensor> rows = hidden_TH.split_with_sizes(
      at::IntArrayRef(lengths_S.const_data_ptr<int64_t>(), static_cast<size_t>(sequences)));
  const at::Device device = hidden_TH.device();
  const at::Tensor padded =
      at::pad_sequence(rows, /*batch_first=*/true).index_select(0, order.to(device));
  const auto [data, batch_sizes] = at::_pack_padded_sequence(padded, lengths, true);
  const int64_t num_directions = static_cast<int64_t>(directions.size());
  const at::Tensor zeros = at::zeros({num_directions, sequences, hidden}, hidden_TH.options());
  const auto [output, states, cells] =
      at::lstm(data, batch_sizes, {zeros, zeros}, parameters, /*has_biases=*/true, /*num_layers=*/1,
               /*dropout=*/0.0, /*train=*/false, config.bidirectional);
  const at::Tensor by_sequence = states.transpose(0, 1).reshape({sequences, -1});
  return by_sequence.index_select(0, at::argsort(order).to(device));
}

at::Tensor classifier_features(const BertConfig& config, const NamedTensors& weights,
                               const BertOutput& encoded, const BertInput& input,
                               CehrClassifier kind) {
  switch (kind) {
    case CehrClassifier::pooled:
      if (!encoded.pooled_SH.defined()) {
        throw std::invalid_argument("classifier_logits: the encoder was not asked for `pooled`");
      }
      return encoded.pooled_SH;
    case CehrClassifier::cls:
      return encoded.hidden_TH.index_select(
          0, (input.lengths_S.cumsum(0) - input.lengths_S).to(encoded.hidden_TH.device()));
    case CehrClassifier::lstm:
      return run_lstm(config, weights, encoded.hidden_TH, input.lengths_S);
  }
  return {};
}

}  // namespace

at::Tensor mlm_logits(const BertConfig& config, const NamedTensors& weights,
                      const at::Tensor& hidden_TH) {
  const std::string name = "cls.predictions.transform.";
  const at::Tensor transformed =
      norm(config, weights, name + "LayerNorm",
           activate(dense(weights, name + "dense", hidden_TH), config.hidden_act));
  return at::linear(transformed, get_tensor(weights, word_embeddings_name(config)),
                    get_tensor(weights, "cls.predictions.bias"));
}

at::Tensor sequence_relationship_logits(const NamedTensors& weights, const at::Tensor& pooled_SH) {
  return dense(weights, "cls.seq_relationship", pooled_SH);
}

at::Tensor predict_values(const BertConfig& config, const NamedTensors& weights,
                          const at::Tensor& hidden_TH) {
  const std::string name = "concept_value_decoder_layer.concept_value_decoder_layer.";
  const at::Tensor inner =
      norm(config, weights, name + "2", at::gelu(dense(weights, name + "0", hidden_TH), "tanh"));
  return at::gelu(dense(weights, name + "3", inner), "tanh").squeeze(1);
}

MlmLoss mlm_loss(const BertConfig& config, const NamedTensors& weights, const at::Tensor& hidden_TH,
                 const BertInput& input, const at::Tensor& labels_T, int64_t num_places) {
  const int64_t tokens = input.num_tokens();
  if (labels_T.dim() != 1 || labels_T.size(0) != tokens) {
    throw std::invalid_argument(str("mlm_loss: labels must be [", tokens, "]"));
  }
  const at::Tensor places = at::nonzero(labelled(config, input, labels_T)).squeeze(1);
  MlmLoss loss;
  loss.codes =
      at::cross_entropy_loss(mlm_logits(config, weights, hidden_TH.index_select(0, places)),
                             labels_T.index_select(0, places));
  loss.total = loss.codes;
  const bool has_values = config.kind == BertKind::cehr_bert && config.include_value_prediction &&
                          input.values_T.defined() && input.value_mask_T.defined();
  if (!has_values) return loss;
  loss.values =
      value_loss(config, weights, hidden_TH, input, labels_T, num_places > 0 ? num_places : tokens);
  loss.total = loss.codes + loss.values;
  return loss;
}

at::Tensor classifier_logits(const BertConfig& config, const NamedTensors& weights,
                             const BertOutput& encoded, const BertInput& input,
                             const ClassifierRequest& request) {
  if (!request.ages_S.defined() || request.ages_S.numel() != input.num_sequences()) {
    throw std::invalid_argument("classifier_logits: one age per sequence is needed");
  }
  const BertDropout dropout = request.is_training ? request.dropout : BertDropout{};
  const at::Tensor features =
      drop(classifier_features(config, weights, encoded, input, request.kind),
           config.classifier_dropout, dropout);
  const at::Tensor inner = at::relu(
      dense(weights, "dense_layer", at::cat({features, normalise_ages(weights, request)}, 1)));
  return dense(weights, "classifier", drop(inner, config.classifier_dropout, dropout)).squeeze(1);
}

at::Tensor classifier_loss(const at::Tensor& logits_S, const at::Tensor& labels_S) {
  return at::binary_cross_entropy_with_logits(logits_S, labels_S.to(logits_S.device(), at::kFloat));
}

}  // namespace sequela
