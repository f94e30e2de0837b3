#pragma once

#include <optional>

#include "sequela/meds/event_store.h"
#include "sequela/ontology/ontology.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// A data set decoded once for all methods, into memory-mapped files that go with the object.
class EvaluationRecords {
 public:
  // Takes of the options what says which records and bundle, and how they are read.
  explicit EvaluationRecords(const EvaluateMethodsOptions& options);
  EvaluationRecords(const EvaluationRecords&) = delete;
  EvaluationRecords& operator=(const EvaluationRecords&) = delete;

  const EventStore& store() const { return store_; }
  // Every code of the data is a node.
  const Ontology& ontology() const { return ontology_; }
  // As the bundle reads the records; there must be one.
  const EventTokenizer& tokenizer() const { return *tokenizer_; }
  const AgeStats& age_stats() const { return vocabulary_->age_stats; }

  // The subject with its events up to a time, that time included; nothing for an unknown subject.
  std::optional<Subject> history(const Label& label) const;

 private:
  const std::optional<Vocabulary> vocabulary_;
  const EventStore store_;
  const Ontology ontology_;
  std::optional<EventTokenizer> tokenizer_;
};

}  // namespace sequela
