#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sequela/features/event_risk.h"
#include "sequela/features/stream_embedder.h"
#include "sequela/nn/torch_threads.h"

namespace sequela {

// A bundle that scores live patients: which, with which risks, in how much memory.
struct LiveOptions {
  std::string model;     // a bundle, Sequela's or femr's
  std::string ontology;  // Parquet with code and parents; overrides the bundle's own
  std::string athena;    // Athena download, for bundles without an ontology
  std::string codes;     // codes.parquet of the data: parents of codes that the ontology lacks
  std::vector<std::string> tasks;  // codes of the MOTOR head's tasks whose risks are wanted
  double horizon_days = 365;       // of the risks
  Precision precision = Precision::fp32;
  KeyPrecision keys = KeyPrecision::fp32;   // of what the states hold for attention
  int64_t memory_bytes = int64_t{4} << 30;  // that the patients' states may take
  std::string spill_folder;  // where the others lie meanwhile; empty = a full memory is an error
  int num_threads = 1;

  void validate() const;  // ConfigError
};

KeyPrecision to_key_precision(const std::string& text);  // fp32 or bf16; ConfigError
const char* to_text(KeyPrecision keys);
const char* to_text(EventOutcome outcome);  // "new_token", ...

// Answers to consecutive events, as of right after each; n = events, H = hidden size, S = tasks.
// Rows of EventOutcome::nothing_yet are NaN.
struct LiveRows {
  int64_t first = 0, num_events = 0;  // among those of the call
  const float* embeddings_nH = nullptr;
  const float* risks_nS = nullptr;  // probabilities (features/event_risk.h)
  const EventOutcome* outcomes_n = nullptr;
};

// A live embedder (features/stream_embedder.h says what its numbers equal) that is opened from a
// bundle, admits patients by itself and tells risks by the codes of tasks. Not thread-safe.
class LiveScorer {
 public:
  // Reads the bundle, the ontology and the dictionary. ConfigError for a task that the model does
  // not have; it suggests one.
  explicit LiveScorer(const LiveOptions& options);
  LiveScorer(LiveScorer&&) = delete;  // the embedder refers to the ontology

  Embedder& embedder() { return embedder_; }
  const Embedder& embedder() const { return embedder_; }
  int64_t hidden_size() const { return embedder_.config().encoder.hidden_size; }
  const std::vector<std::string>& tasks() const { return options_.tasks; }
  const std::vector<std::string>& known_tasks() const { return known_tasks_; }  // of the model

  // Takes the next events of any patients and hands out the answers, some events at a time, in
  // order. A patient that is not there yet is admitted; the birth is the earliest MEDS_BIRTH among
  // the patient's events of this call.
  //
  // DataError (its row = the event) for an event that may not follow those before it, one without a
  // code, and a new patient without a birth: before anything is changed. Other errors as those of
  // Embedder::add: what was handed out counts as taken, the rest does not; so too when a stop is
  // asked for (Interrupted), which is looked at every Embedder::max_events_at_once() events.
  void add(std::span<const LiveEvent> events, const std::function<void(const LiveRows&)>& take);

 private:
  LiveScorer(const LiveOptions& options, const TorchThreads&);  // which last while it is made

  using Births = std::unordered_map<int64_t, int64_t>;  // of new patients, by subject id
  Births check(std::span<const LiveEvent> events) const;
  void admit(const Births& births);
  void fill_risks(int64_t num_events);

  LiveOptions options_;
  Ontology ontology_;
  std::vector<std::string> known_tasks_;
  Embedder embedder_;
  std::vector<EventRisk> risk_;  // one, or none without tasks
  std::vector<float> embeddings_, log2_rates_, risks_;
  std::vector<EventOutcome> outcomes_;
};

}  // namespace sequela
