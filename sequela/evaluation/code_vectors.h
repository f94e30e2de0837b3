#pragma once

#include <cstdint>
#include <vector>

#include "sequela/evaluation/matrix.h"

namespace sequela {

// Codes of subjects in order of time: those of sequence s stand from offsets[s] to before
// offsets[s + 1].
struct CodeSequences {
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> codes;  // in [0, num_codes)
  int32_t num_codes = 0;
};

struct CodeVectorsOptions {
  int64_t size = 64;
  int window = 5;  // codes on either side at the most
  int num_negatives = 5;
  int64_t min_count = 5;           // of a code; a rarer one has no vector
  double subsampling = 1e-3;       // word2vec's -sample
  double learning_rate = 0.025;    // falls linearly to a hundredth
  int64_t num_tokens = 2'000'000;  // to pass over, in as many epochs as that takes, 5 at most
  uint64_t seed = 1;

  void validate() const;  // ConfigError
};

// Vectors of codes such that codes which stand near each other in time have like ones: skip-gram
// with negative sampling on one thread, so that the numbers depend on input and seed alone. A row a
// code; 0 for codes without a vector.
//
// Source: Mikolov et al., Distributed representations of words and phrases and their
// compositionality, arXiv:1310.4546; its subsampling, and its noise by count^(3/4).
DenseMatrix fit_code_vectors(const CodeSequences& sequences, const CodeVectorsOptions& options);

}  // namespace sequela
