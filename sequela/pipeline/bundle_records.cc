#include "sequela/pipeline/bundle_records.h"

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/meds/dataset.h"
#include "sequela/pipeline/data_ontology.h"

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
  Ontology ontology;
  if (!vocabulary.is_hierarchical) {
    // A flat tokenizer knows codes only; the nodes are the data's.
  } else if (!options.ontology.empty()) {
    ontology = read_any_ontology(options.ontology);
  } else if (!options.athena.empty()) {
    ontology = read_ontology_of({options.athena, codes_parquet, options.out, options.num_threads},
                                store.codes(), store.counts());
  } else if (std::filesystem::exists(options.model + "/ontology.parquet")) {
    ontology = Ontology::read(options.model + "/ontology.parquet");
  } else {
    throw ConfigError(str(options.model,
                          ": the bundle has a hierarchical tokenizer but no ontology. Fix: "
                          "name one with --athena."));
  }
  return extend_to_data(ontology, store, codes_parquet);
}

}  // namespace sequela
