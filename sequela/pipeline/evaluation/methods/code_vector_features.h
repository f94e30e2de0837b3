#pragma once

#include <span>
#include <unordered_set>

#include "sequela/pipeline/evaluation/label_features.h"

namespace sequela {

// Features by Word2Vec-style vectors of codes (evaluation/code_vectors.h), learned on the records
// of all subjects but `held_out`: the mean vectors of the distinct codes of a history, and of those
// of its last year.
DenseFeatures code_vector_features(const EvaluationRecords& records, std::span<const Label> labels,
                                   const std::unordered_set<int64_t>& held_out, uint64_t seed);

}  // namespace sequela
