#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/evaluation/matrix.h"

namespace sequela {

// Gradient-boosted trees for binary outcomes, by the C API of XGBoost's shared library (Debian's
// libxgboost-dev, or PyPI's), which is looked for at the first call.
struct BoostedTreesOptions {
  int max_rounds = 200;
  int max_depth = 4;
  double learning_rate = 0.1;
  double min_child_weight = 1;
  double subsample = 0.8;  // of the rows, for each tree
  uint64_t seed = 1;
  int num_threads = 1;  // changes no digit

  void validate() const;  // ConfigError
};

struct BoostedTreesResult {
  int num_rounds = 0;               // that had the least log loss on the validation rows
  std::vector<double> test_scores;  // probabilities
};

// Rows and outcomes of one part.
struct OutcomeRows {
  const SparseMatrix& features;
  std::span<const uint8_t> outcomes;  // 0 or 1
};

// Why there are none here, in words: the message of the ConfigError below. Empty if there are.
std::string why_no_boosted_trees();

// Fits on `train`, takes as many rounds as are best on `valid` (all of them if that has no rows),
// and scores the rows of `test`. An entry that a sparse row lacks counts as missing. All parts have
// the same columns. ConfigError if there is no such library, Error with its message if it fails.
BoostedTreesResult fit_boosted_trees(const OutcomeRows& train, const OutcomeRows& valid,
                                     const SparseMatrix& test, const BoostedTreesOptions& options);

}  // namespace sequela
