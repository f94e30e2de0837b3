#include <ATen/ATen.h>
#include <torch/csrc/utils/pybind.h>

#include "python/compute_guard.h"
#include "python/encoded_batch.h"
#include "sequela/encoders/bert/bert_heads.h"

namespace sequela::python {
namespace {

bool predicts_values(const BertConfig& config) {
  return config.kind == BertKind::cehr_bert && config.include_value_prediction;
}

// Scores of every code at every place, and values where the model predicts them.
auto score_masked(const BertModel& model, const PaddedBertBatch& batch, bool is_training) {
  const EncodedBatch encoded(model, batch, {}, is_training);
  const at::Tensor& hidden_TH = encoded.output().hidden_TH;
  const BertConfig& config = model.config();
  at::Tensor values_BL;
  if (predicts_values(config)) {
    values_BL = encoded.to_places(predict_values(config, model.weights(), hidden_TH));
  }
  return std::make_tuple(encoded.to_places(mlm_logits(config, model.weights(), hidden_TH)),
                         values_BL, encoded.hidden_BLH());
}

// The loss: in all, of codes, of values (undefined without that head).
auto masked_loss(const BertModel& model, const PaddedBertBatch& batch, const at::Tensor& labels_BL,
                 bool is_training) {
  const EncodedBatch encoded(model, batch, {}, is_training);
  const MlmLoss loss =
      mlm_loss(model.config(), model.weights(), encoded.output().hidden_TH, encoded.input(),
               encoded.from_places(labels_BL).to(at::kLong), encoded.num_places());
  return std::make_tuple(encoded.home(loss.total), encoded.home(loss.codes),
                         encoded.home(loss.values), encoded.hidden_BLH());
}

auto classify(const BertModel& model, const PaddedBertBatch& batch, const at::Tensor& ages_S,
              CehrClassifier kind, bool is_training) {
  BertRequest request;
  request.pooled = kind == CehrClassifier::pooled;
  const EncodedBatch encoded(model, batch, request, is_training);
  ClassifierRequest head;
  head.kind = request.pooled && encoded.has_packed_samples() ? CehrClassifier::cls : kind;
  head.ages_S = ages_S;
  head.is_training = is_training;
  head.dropout = encoded.dropout();
  const at::Tensor logits_S =
      classifier_logits(model.config(), model.weights(), encoded.output(), encoded.input(), head);
  return std::make_tuple(encoded.home(logits_S), encoded.hidden_BLH());
}

}  // namespace

void register_bert_heads(py::module_& module) {
  py::enum_<CehrClassifier>(module, "CehrClassifier")
      .value("pooled", CehrClassifier::pooled)
      .value("lstm", CehrClassifier::lstm);
  module.def("score_masked", &score_masked, ComputeGuard());
  module.def("masked_loss", &masked_loss, ComputeGuard());
  module.def("classify", &classify, ComputeGuard());
  module.def("classifier_loss", &classifier_loss, ComputeGuard());
}

}  // namespace sequela::python
