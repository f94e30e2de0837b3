#pragma once

#include <cstdint>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/meds/split.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/fit_tokenizer.h"
#include "sequela/tokenizer/moments.h"

namespace sequela {

// What the numbers under one code look like.
struct CodeStatistics {
  int64_t num_subjects = 0;    // with such a number
  std::vector<float> samples;  // ascending
};

// What one property's values look like over all subjects.
struct PropertyStatistics {
  std::vector<int64_t>
      text_subjects;  // by text index: subjects with that text; texts that are no number
  unsigned __int128 numeric_count =
      0;                       // of finite numbers, each counted times its subject's events
  std::vector<float> samples;  // ascending; all numbers, or a weighted sample
  // By code of the store; empty unless codes have bins of their own.
  std::vector<CodeStatistics> codes;
};

// Weighted by 1 / (events of the subject); in seconds.
struct AgeMoments {
  Moments age, log_age, delta, log_delta;

  void merge(const AgeMoments& other);
};

// What the dictionary is made from.
struct TokenizerStatistics {
  int64_t num_subjects = 0;
  std::vector<int64_t>
      node_subjects;  // by ontology node: subjects with the code or a descendant of it
  std::vector<PropertyStatistics> properties;  // parallel to store.properties()
  AgeMoments age_moments;
};

// One pass over the subjects that have a birth (and, for fit_on_train_only, are on the train side).
// Numbers that are NaN or infinite are left out. The same bits for any number of threads.
TokenizerStatistics collect_statistics(const EventStore& store, const Ontology& ontology,
                                       const std::vector<Side>& sides,
                                       const TokenizerOptions& options);

}  // namespace sequela
