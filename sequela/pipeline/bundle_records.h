#pragma once

#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"
#include "sequela/ontology/ontology.h"
#include "sequela/pipeline/features.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// How the options' records are decoded.
IngestOptions ingest_options(const FeaturesOptions& options);

// The ontology by which a bundle reads records: the one that the options name, or else the bundle's
// own. ConfigError if a hierarchical dictionary has none.
Ontology read_bundle_ontology(const FeaturesOptions& options, const Vocabulary& vocabulary,
                              const EventStore& store);

}  // namespace sequela
