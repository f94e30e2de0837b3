#pragma once

#include "sequela/objective/mlm/mlm_objective.h"
#include "sequela/pipeline/pretrain_records.h"

namespace sequela {

// Masked language modelling with its options as fields, for callers of the library; the command
// asks the objective's registry. The folder's files: objective/mlm/mlm_encoder.h. Both kinds of
// encoder learn from the same sequences (cehr_records.h); BERT sees their codes alone.
struct PretrainMlmOptions : PretrainRecordsOptions, MlmOptions {
  PretrainMlmOptions() { MlmLearner().set_defaults(train); }
};

using PretrainMlmReport = PretrainRecordsReport;

inline PretrainMlmReport pretrain_mlm(const PretrainMlmOptions& options) {
  return pretrain_records(options, MlmObjective::kName, MlmLearner(options));
}

}  // namespace sequela
