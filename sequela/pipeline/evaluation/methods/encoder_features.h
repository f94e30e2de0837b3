#pragma once

#include <span>
#include <string>

#include "sequela/pipeline/evaluation/label_features.h"

namespace sequela {

// Embeddings by an encoder of the BERT family, as `sequela encode` makes them of patients: the
// codes of each visit in context, pooled by their mean, and the visits' vectors likewise. A label
// sees its last kMaxEncodedVisits visits; codes that the vocabulary lacks are looked for by the
// ontology of the records.
inline constexpr int64_t kMaxEncodedVisits = 100;
DenseFeatures encoder_features(const EvaluateMethodsOptions& options, const std::string& folder,
                               const EvaluationRecords& records, std::span<const Label> labels);

}  // namespace sequela
