#pragma once

#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"
#include "sequela/ontology/ontology.h"
#include "sequela/pipeline/features.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// How the options' records are decoded.
IngestOptions ingest_options(const FeaturesOptions& options);

// The ontology by which a bundle reads records: the one that the options name, or else the bundle's
// own. ConfigError if a hierarchical dictionary has none.
Ontology read_bundle_ontology(const FeaturesOptions& options, const Vocabulary& vocabulary,
                              const EventStore& store);

// Records as a bundle reads them: decoded once, into memory-mapped files that go with the object.
class BundleRecords {
 public:
  // Takes of the options what says which records and bundle, and how they are read. `out` is a
  // folder for the decoded events; when the object is made, it may go. Throws as
  // compute_features().
  explicit BundleRecords(const FeaturesOptions& options);
  BundleRecords(const BundleRecords&) = delete;
  BundleRecords& operator=(const BundleRecords&) = delete;

  const EventStore& store() const { return store_; }
  const EventTokenizer& tokenizer() const { return tokenizer_; }
  const AgeStats& age_stats() const { return vocabulary_.age_stats; }

 private:
  const Vocabulary vocabulary_;
  const EventStore store_;
  const EventTokenizer tokenizer_;
};

}  // namespace sequela
