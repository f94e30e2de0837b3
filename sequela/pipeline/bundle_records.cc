#include "sequela/pipeline/bundle_records.h"

#include "sequela/meds/dataset.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/temporary_store.h"

namespace sequela {

IngestOptions ingest_options(const FeaturesOptions& options) {
  return {.meds = options.meds,
          .zone_rule = options.zone_rule,
          .num_threads = options.num_threads,
          .memory_bytes = options.memory_bytes};
}

Ontology read_bundle_ontology(const FeaturesOptions& options, const Vocabulary& vocabulary,
                              const EventStore& store) {
  const std::string codes_parquet = find_dataset(options.meds).codes_path.value_or("");
  // A flat tokenizer knows codes only; the nodes are the data's.
  if (!vocabulary.is_hierarchical) return extend_to_data({}, store.codes(), codes_parquet);
  const BundleOntology source{options.model, options.ontology, options.athena,
                              codes_parquet, options.out,      options.num_threads};
  return source.read(store.codes(), store.counts());
}

// The store is mapped to memory, so that its files are no longer needed once it is open.
BundleRecords::BundleRecords(const FeaturesOptions& options)
    : vocabulary_(Vocabulary::read(options.model + "/dictionary.msgpack")),
      store_(TemporaryStore(ingest_options(options), options.out).open()),
      tokenizer_(store_, read_bundle_ontology(options, vocabulary_, store_), vocabulary_) {}

}  // namespace sequela
