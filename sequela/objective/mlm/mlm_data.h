#pragma once

#include <cstdint>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/meds/split.h"
#include "sequela/tokenizer/sequence/cehr_from_meds.h"
#include "sequela/tokenizer/sequence/cehr_tokens.h"

namespace sequela {

struct MlmDataOptions {
  CehrMedsOptions meds;
  CehrRecordOptions records;
  CehrVocabularyOptions vocabulary;
  bool with_values = false;  // numbers and text values of events; without: codes alone
  int64_t split_seed = kSplitSeed;
  double val_fraction = 0.1;

  void validate() const;  // ConfigError
};

// A data set's subjects as CEHR-BERT's sequences, on two sides; the vocabulary and the statistics
// of values are the train side's.
struct MlmData {
  CehrTokenizer tokenizer;
  CehrTokens train, validation;
  int64_t num_left_out = 0;  // subjects without a birth or without a visit
  std::vector<int64_t> train_subjects = {}, validation_subjects = {};  // those of the sequences
};

// Depends on the store and the options alone. Needs about 60 bytes an event while it works, 25
// after. DataError if the train side has no sequence.
MlmData build_mlm_data(const EventStore& store, const MlmDataOptions& options);

}  // namespace sequela
