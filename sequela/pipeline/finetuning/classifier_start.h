#pragma once

#include <string>
#include <vector>

#include "sequela/meds/labels.h"
#include "sequela/model/classifier.h"
#include "sequela/pipeline/finetuning/label_states.h"

namespace sequela {

// Where a classifier starts: at a logistic probe of the backbone's states, its regularisation
// chosen by cross-validation; or at the prevalence, with all weights 0.
enum class ClassifierStart { probe, prevalence };
ClassifierStart to_classifier_start(const std::string& text);  // ConfigError
const char* to_text(ClassifierStart start);

// prevalence: above 0, below 1.
void start_at_prevalence(double prevalence, Classifier& classifier);

// The probe of evaluation/probe.h with its defaults, fitted to the labels of `states`, which index
// `labels`. The rows stand in the labels' order, as in a table of features.
void start_at_probe(const std::vector<LabelStates>& states, const std::vector<Label>& labels,
                    int num_threads, Classifier& classifier);

}  // namespace sequela
