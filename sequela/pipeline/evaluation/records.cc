#include "sequela/pipeline/evaluation/records.h"

#include <algorithm>

#include "sequela/meds/dataset.h"
#include "sequela/ontology/build_ontology.h"
#include "sequela/pipeline/bundle_records.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {
namespace {

std::optional<Vocabulary> read_bundle_vocabulary(const EvaluateMethodsOptions& options) {
  if (options.model.empty()) return std::nullopt;
  return Vocabulary::read(options.model + "/dictionary.msgpack");
}

EventStore decode_records(const EvaluateMethodsOptions& options) {
  return TemporaryStore({.meds = options.meds,
                         .text_properties = encounter_columns({}),
                         .zone_rule = options.zone_rule,
                         .num_threads = options.num_threads,
                         .memory_bytes = options.memory_bytes},
                        options.out)
      .open();
}

// The ontology that is given, else the bundle's, else what codes.parquet says.
Ontology read_evaluation_ontology(const EvaluateMethodsOptions& options,
                                  const std::optional<Vocabulary>& vocabulary,
                                  const EventStore& store) {
  const std::string codes_parquet = find_dataset(options.meds).codes_path.value_or("");
  if (vocabulary && vocabulary->is_hierarchical) {
    return BundleOntology{options.model, "",          options.athena,
                          codes_parquet, options.out, options.num_threads}
        .read(store.codes(), store.counts());
  }
  if (!options.athena.empty()) {
    const Ontology given =
        read_ontology_of({options.athena, codes_parquet, options.out, options.num_threads},
                         store.codes(), store.counts());
    return extend_to_data(given, store.codes(), codes_parquet);
  }
  return build_ontology({.codes_parquet = codes_parquet, .num_threads = options.num_threads},
                        store.codes(), store.counts(), nullptr);
}

}  // namespace

EvaluationRecords::EvaluationRecords(const EvaluateMethodsOptions& options)
    : vocabulary_(read_bundle_vocabulary(options)),
      store_(decode_records(options)),
      ontology_(read_evaluation_ontology(options, vocabulary_, store_)) {
  if (vocabulary_) tokenizer_.emplace(store_, ontology_, *vocabulary_);
}

std::optional<Subject> EvaluationRecords::history(const Label& label) const {
  const auto index = store_.find_subject(label.subject_id);
  if (!index) return std::nullopt;
  Subject subject = store_.subject(*index);
  const int64_t* end = subject.times_us + subject.num_events;
  subject.num_events =
      std::upper_bound(subject.times_us, end, label.prediction_time_us) - subject.times_us;
  return subject;
}

}  // namespace sequela
