#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "sequela/batch/builder.h"

namespace sequela {

// What a model can take; a batch that goes beyond it is refused.
struct BatchLimits {
  int32_t vocab_size = std::numeric_limits<int32_t>::max();
  int32_t num_tasks = std::numeric_limits<int32_t>::max();
};

// Checks of batches that come from files, which are untrusted. Throw FileError that names `path`.

// Sizes of all arrays but the targets' agree, lengths sum to T, offsets and labels ascend and are
// in range, token ids are in the vocabulary.
void check_sequences(const BatchArrays& batch, const BatchLimits& limits, const std::string& path);

// The same of the targets' rows; task ids are in range and ascend within a row.
void check_rows(const BatchArrays& batch, const BatchLimits& limits, const std::string& path);

// Other objectives' arrays have a value a label, none below 0.
void check_targets(const BatchArrays& batch, const std::string& path);

[[noreturn]] void fail_damaged_batch(const std::string& path, const std::string& cause);

}  // namespace sequela
