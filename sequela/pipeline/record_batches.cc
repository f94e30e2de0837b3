#include "sequela/pipeline/record_batches.h"

#include "sequela/pipeline/bundle_records.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {
namespace {

// The store is mapped to memory, so that its files are no longer needed once it is open.
EventStore open_store(const FeaturesOptions& options) {
  return TemporaryStore(ingest_options(options), options.out).open();
}

Vocabulary read_vocabulary(const FeaturesOptions& options) {
  options.validate();
  EmbedOptions{.tokens_per_batch = options.tokens_per_batch}.validate();
  return Vocabulary::read(options.model + "/dictionary.msgpack");
}

}  // namespace

RecordBatches::RecordBatches(const FeaturesOptions& options)
    : RecordBatches(options, read_vocabulary(options)) {}

RecordBatches::RecordBatches(const FeaturesOptions& options, const Vocabulary& vocabulary)
    : labels_(read_labels(options.labels, options.zone_rule)),
      states_(labels_.size(), LabelState::unknown_subject),
      store_(open_store(options)),
      tokenizer_(store_, read_bundle_ontology(options, vocabulary, store_), vocabulary),
      batches_(store_, tokenizer_, vocabulary.age_stats, labels_, options.tokens_per_batch,
               states_.data()) {}

}  // namespace sequela
