#pragma once

#include <cstdint>
#include <vector>

#include "sequela/features/label_batches.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/labels.h"
#include "sequela/pipeline/features.h"
#include "sequela/tokenizer/event_tokenizer.h"

namespace sequela {

// Records with labels as batches for training on them: the histories that `sequela features`
// embeds, to be read as often and in any order as one likes.
class RecordBatches {
 public:
  // Takes of the options what says which records, labels and bundle, and how they are read. `out`
  // is a folder for the decoded events; when the object is made, it may go. Throws as
  // compute_features().
  explicit RecordBatches(const FeaturesOptions& options);
  RecordBatches(const RecordBatches&) = delete;
  RecordBatches& operator=(const RecordBatches&) = delete;

  const std::vector<Label>& labels() const { return labels_; }
  const std::vector<LabelState>& states() const { return states_; }  // parallel to labels()
  const LabelBatches& batches() const { return batches_; }           // thread-safe

 private:
  RecordBatches(const FeaturesOptions& options, const Vocabulary& vocabulary);

  std::vector<Label> labels_;
  std::vector<LabelState> states_;
  EventStore store_;
  EventTokenizer tokenizer_;
  LabelBatches batches_;
};

}  // namespace sequela
