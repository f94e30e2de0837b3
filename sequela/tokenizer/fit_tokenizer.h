#pragma once

#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/meds/split.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

struct TokenizerOptions {
  int32_t vocab_size = 16'384;
  int32_t num_numeric = 1'000;  // numeric bins, shared over the properties
  // Bins of a code's own numbers, beside the shared ones; 0 = none, femr's form.
  int32_t bins_per_code = 0;
  double min_fraction = 1e-4;
  bool fit_on_train_only = false;
  int32_t reservoir_size = 10'000;
  uint64_t seed = 97;  // of the hash that samples numeric values
  int num_threads = 1;

  void validate() const;
};

// Learns a hierarchical dictionary from a store's subjects in one pass (docs/design.md, section
// 4.1). Subjects without a birth are passed over. `sides` (by subject index) is looked at only for
// fit_on_train_only. The result is the same, bit for bit, for any number of threads.
Vocabulary fit_tokenizer(const EventStore& store, const Ontology& ontology,
                         const std::vector<Side>& sides, const TokenizerOptions& options);

}  // namespace sequela
