#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/meds/labels.h"
#include "sequela/model/classifier.h"
#include "sequela/model/motor.h"
#include "sequela/pipeline/record_batches.h"

namespace sequela {

struct Predictions {
  std::vector<int64_t> labels;        // those with a history, ascending
  std::vector<double> probabilities;  // parallel
};

// What a fine-tuned model says of all labels that have a history.
Predictions predict(Motor& model, const Classifier& classifier, const RecordBatches& records);

// As Parquet in meds-evaluation's schema (FinetuneReport finetune()); a label without a value has a
// null as boolean_value.
void write_predictions(const std::string& path, const Predictions& predictions,
                       const std::vector<Label>& labels);

// NaN if a label has no value, or all have the same.
double auroc_of(const Predictions& predictions, const std::vector<Label>& labels);

}  // namespace sequela
