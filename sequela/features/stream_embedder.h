#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sequela/features/stream/live_event.h"
#include "sequela/features/stream/patient_store.h"
#include "sequela/model/motor.h"
#include "sequela/model/step/encoder_state.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

struct EmbedderOptions {
  Precision precision = Precision::fp32;   // of the matrices (model/step/step_model.h)
  KeyPrecision keys = KeyPrecision::fp32;  // of the keys and values in the states
  PatientStoreOptions patients;            // how many, in how much memory
  int64_t events_per_pass = 256;           // that go through the model together
  // Of the MOTOR head, the tasks whose rates are wanted (indices); empty = all.
  std::vector<int64_t> tasks;

  void validate() const;  // ConfigError
};

// Where add() writes; n = its events, H = hidden size, K = time bins, C = tasks (those of
// EmbedderOptions::tasks).
struct EmbedderOutput {
  float* embeddings_nH = nullptr;
  float* log2_rates_nKC = nullptr;     // null = not computed
  EventOutcome* outcomes_n = nullptr;  // null = not asked for
};

// Embeddings and risks of patients whose events come in one by one: constant work and memory per
// event, whatever the length of the record. CPU only; not thread-safe.
//
// What equals what. After each event, the embedding is the hidden state (after out_norm) of the
// patient's last token, and the log2 rates (events per second, per time bin and task) are the MOTOR
// head's on it: those of Motor::encode and Motor::logits for the whole record up to this event as
// one sequence, in float32 but for the order of sums (tested to 1e-5). No window cuts the record:
// attention layers look back attention_width tokens as ever, hawk layers as far as they remember.
// embed() (features/embedder.h) cuts a history to its last 4,096 tokens with the birth bag in
// front; for records up to 4,096 tokens it gives the same embeddings, for longer ones the two
// differ by what lies before the cut. While a patient has only the birth bag (events without a
// time, on the birth day or before), embed() gives nothing and this gives the bag's own embedding.
//
// Events of one patient must come in order of time, static ones first, and the birth must be known
// from the start: it is the time of the earliest MEDS_BIRTH.
class Embedder {
 public:
  // `parameters` in one buffer, as Motor::parameters() has them; they are copied. Refers to
  // `ontology`, which must be the one that the dictionary was fitted with.
  Embedder(const ModelConfig& config, const Parameters& parameters, const Vocabulary& vocabulary,
           const Ontology& ontology, const EmbedderOptions& options);
  // The same from a bundle's folder (model/model_dir.h). FileError.
  static Embedder open(const std::string& bundle, const Ontology& ontology,
                       const EmbedderOptions& options);
  Embedder(Embedder&&) noexcept;
  ~Embedder();

  const ModelConfig& config() const;  // the model's, with the wanted tasks alone
  const PatientStore& patients() const;
  int64_t max_bytes_per_patient() const;  // memory of a state whose attention window is full
  int64_t bytes_per_event() const;        // of matrices that one event alone reads

  // A new patient without events. std::invalid_argument if there already, ResourceError if there is
  // no room.
  void admit(int64_t subject_id, int64_t birth_us);
  void discharge(int64_t subject_id);

  // Changes PatientStoreOptions::memory_bytes, for callers that learn only now what is left.
  void set_memory_bytes(int64_t bytes);

  // Takes the next events of any admitted patients, in order per patient, and writes a row for each
  // event, as of right after it. Rows of EventOutcome::nothing_yet are NaN. All tokens of a pass go
  // through each matrix product together.
  //
  // DataError for an event out of order and std::invalid_argument for an unknown patient, before
  // anything is changed. ResourceError or FileError when states can be neither kept nor spilled nor
  // read back: events of earlier passes then count as taken; the same if a stop is asked for
  // between two passes (Interrupted). max_events_at_once() events make one pass. Should a pass
  // itself fail (out of memory), its patients are discharged rather than left with half-moved
  // states.
  void add(std::span<const LiveEvent> events, const EmbedderOutput& output);
  int64_t max_events_at_once() const;

  // A patient's state as a file, for a restart or another process with the same bundle, whatever
  // its precision. save: atomic. load: FileError for a file that is not a whole, undamaged state of
  // this bundle; std::invalid_argument if the patient is there already. Returns the subject id.
  void save(int64_t subject_id, const std::string& path);
  int64_t load(const std::string& path);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sequela
