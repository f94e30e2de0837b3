#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sequela/features/label_batches.h"
#include "sequela/meds/labels.h"
#include "sequela/pipeline/bundle_records.h"
#include "sequela/pipeline/features.h"

namespace sequela {

// Records with labels as batches for training on them: the histories that `sequela features`
// embeds, to be read as often and in any order as one likes.
class RecordBatches {
 public:
  // Of the options' labels and records (bundle_records.h).
  explicit RecordBatches(const FeaturesOptions& options);
  // Of some labels on records that several such objects share.
  RecordBatches(std::shared_ptr<const BundleRecords> records, std::vector<Label> labels,
                int64_t tokens_per_batch);
  RecordBatches(const RecordBatches&) = delete;
  RecordBatches& operator=(const RecordBatches&) = delete;

  const std::vector<Label>& labels() const { return labels_; }
  const std::vector<LabelState>& states() const { return states_; }  // parallel to labels()
  const LabelBatches& batches() const { return batches_; }           // thread-safe

 private:
  RecordBatches(std::vector<Label> labels, const FeaturesOptions& options);

  const std::shared_ptr<const BundleRecords> records_;
  const std::vector<Label> labels_;
  std::vector<LabelState> states_;
  LabelBatches batches_;
};

}  // namespace sequela
