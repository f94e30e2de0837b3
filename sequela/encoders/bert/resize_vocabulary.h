#pragma once

#include <cstdint>
#include <vector>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/progression/named_tensors.h"

namespace sequela {

// How the embedding of a new code begins.
enum class NewCodeInit {
  neighbours,  // mean of the given codes' embeddings; of all codes if none is given
  mean,        // mean of all codes
  random,      // normal(0, initializer_range)
};

struct ResizeOptions {
  NewCodeInit init = NewCodeInit::neighbours;
  // For each new row, ids of old codes near it (parents, siblings); may be shorter than the rows.
  std::vector<std::vector<int64_t>> neighbours;
  uint64_t seed = 0;
};

struct ResizeReport {
  int64_t old_size = 0;
  int64_t new_size = 0;
  int64_t num_from_neighbours = 0;
  int64_t num_from_mean = 0;
  int64_t num_random = 0;
};

// Gives the word embeddings and the MLM head's bias `new_size` rows (new biases: the mean of the
// old ones), and the config its vocab_size. Fewer rows cut the last. The tensors are replaced, old
// ones stay as they are. Throws ConfigError for a size below 1, DataError for a neighbour outside
// the old vocabulary.
ResizeReport resize_vocabulary(BertConfig& config, NamedTensors& weights, int64_t new_size,
                               const ResizeOptions& options = {});

}  // namespace sequela
