#include "sequela/pipeline/record_batches.h"

#include <utility>

namespace sequela {
namespace {

const FeaturesOptions& checked(const FeaturesOptions& options) {
  options.validate();
  EmbedOptions{.tokens_per_batch = options.tokens_per_batch}.validate();
  return options;
}

}  // namespace

RecordBatches::RecordBatches(const FeaturesOptions& options)
    : RecordBatches(read_labels(checked(options).labels, options.zone_rule), options) {}

RecordBatches::RecordBatches(std::vector<Label> labels, const FeaturesOptions& options)
    : RecordBatches(std::make_shared<BundleRecords>(options), std::move(labels),
                    options.tokens_per_batch) {}

RecordBatches::RecordBatches(std::shared_ptr<const BundleRecords> records,
                             std::vector<Label> labels, int64_t tokens_per_batch)
    : records_(std::move(records)),
      labels_(std::move(labels)),
      states_(labels_.size(), LabelState::unknown_subject),
      batches_(records_->store(), records_->tokenizer(), records_->age_stats(), labels_,
               tokens_per_batch, states_.data()) {}

}  // namespace sequela
