#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/pipeline/evaluation/method.h"

namespace sequela {

// evaluation.json's `map`: the first two principal components of the embeddings of a task's test
// labels, at most 2,000 drawn by a hash, by the first of the methods that has embeddings of a
// pretrained model (probe, or an encoder); null if there is none.
Json embedding_map(const LabelTask& task, const std::vector<std::unique_ptr<Method>>& methods,
                   uint64_t seed);

}  // namespace sequela
