#include "sequela/pipeline/finetuning/predictions.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sequela/core/nan.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/io/parquet.h"
#include "sequela/pipeline/balanced_labels.h"
#include "sequela/pipeline/finetuning/label_states.h"

namespace sequela {

Predictions predict(Motor& model, const Classifier& classifier, const RecordBatches& records) {
  std::vector<std::pair<int64_t, double>> found;
  each_label_states(model, records.batches(), "predict", [&](const LabelStates& batch) {
    const std::vector<double> logits = classifier.logits(batch.states_LH);
    for (size_t i = 0; i < logits.size(); ++i)
      found.emplace_back(batch.labels[i], to_probability(logits[i]));
  });
  std::sort(found.begin(), found.end());
  Predictions predictions;
  for (const auto& [label, probability] : found) {
    predictions.labels.push_back(label);
    predictions.probabilities.push_back(probability);
  }
  return predictions;
}

void write_predictions(const std::string& path, const Predictions& predictions,
                       const std::vector<Label>& labels) {
  std::vector<int64_t> subjects, times;
  std::vector<uint8_t> values, is_known, predicted;
  for (size_t i = 0; i < predictions.labels.size(); ++i) {
    const Label& label = labels[predictions.labels[i]];
    subjects.push_back(label.subject_id);
    times.push_back(label.prediction_time_us);
    values.push_back(is_positive(label));
    is_known.push_back(!std::isnan(label.value));
    predicted.push_back(predictions.probabilities[i] >= 0.5);
  }
  write_parquet(path,
                {{.name = "subject_id", .values = subjects},
                 {.name = "prediction_time", .values = times, .is_timestamp = true},
                 {.name = "boolean_value", .values = values, .valid = is_known},
                 {.name = "predicted_boolean_value", .values = predicted},
                 {.name = "predicted_boolean_probability", .values = predictions.probabilities}});
}

double auroc_of(const Predictions& predictions, const std::vector<Label>& labels) {
  std::vector<uint8_t> outcomes;
  for (const int64_t label : predictions.labels) {
    if (std::isnan(labels[label].value)) return kNaN;
    outcomes.push_back(is_positive(labels[label]));
  }
  return ScoredOutcomes(predictions.probabilities, outcomes).auroc();
}

}  // namespace sequela
