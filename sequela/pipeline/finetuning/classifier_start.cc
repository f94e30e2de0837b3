#include "sequela/pipeline/finetuning/classifier_start.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/evaluation/probe.h"
#include "sequela/pipeline/balanced_labels.h"

namespace sequela {

ClassifierStart to_classifier_start(const std::string& text) {
  for (const ClassifierStart start : {ClassifierStart::probe, ClassifierStart::prevalence}) {
    if (text == to_text(start)) return start;
  }
  throw ConfigError("start", text, "probe or prevalence");
}

const char* to_text(ClassifierStart start) {
  return start == ClassifierStart::probe ? "probe" : "prevalence";
}

void start_at_prevalence(double prevalence, Classifier& classifier) {
  const std::vector<float> zeros(classifier.hidden_size());
  classifier.set(zeros, std::log(prevalence / (1 - prevalence)));
}

void start_at_probe(const std::vector<LabelStates>& states, const std::vector<Label>& labels,
                    int num_threads, Classifier& classifier) {
  const int64_t hidden = classifier.hidden_size();
  std::vector<std::pair<int64_t, const float*>> rows;  // a label and its state
  for (const LabelStates& batch : states) {
    const auto* state = batch.states_LH.const_data_ptr<float>();
    for (const int64_t label : batch.labels) {
      rows.emplace_back(label, state);
      state += hidden;
    }
  }
  std::sort(rows.begin(), rows.end());
  DenseMatrix features{static_cast<int64_t>(rows.size()), hidden, {}};
  std::vector<uint8_t> outcomes;
  std::vector<int64_t> subject_ids;
  for (const auto& [label, state] : rows) {
    features.values.insert(features.values.end(), state, state + hidden);
    outcomes.push_back(is_positive(labels[label]));
    subject_ids.push_back(labels[label].subject_id);
  }
  const LogisticModel probe =
      fit_probe(features, outcomes, subject_ids, {.num_threads = num_threads}).model;
  classifier.set(probe.weights, probe.intercept);
}

}  // namespace sequela
