#pragma once

#include <span>
#include <vector>

#include "sequela/features/stream/live_sequence.h"
#include "sequela/features/stream/patient_state.h"
#include "sequela/model/step/step_model.h"
#include "sequela/model/workspace.h"

namespace sequela {

// Takes events of several patients through the model together. One object serves pass after pass;
// its buffers are kept, so that an event allocates little.
//
//   n = events, H = hidden size, T = tokens that they make
class LivePass {
 public:
  // Refers to both.
  LivePass(const LiveSequence& sequence, StepModel& model) : sequence_(sequence), model_(model) {}

  // patients_n: of each event, in memory. Moves their states on and writes each event's embedding
  // [n, H]: NaN for EventOutcome::nothing_yet. outcomes_n may be null.
  void run(std::span<const LiveEvent> events, std::span<PatientState* const> patients_n,
           EventOutcome* outcomes_n, float* embeddings_nH);

 private:
  void read(std::span<const LiveEvent> events, std::span<PatientState* const> patients_n,
            EventOutcome* outcomes_n);
  void fill_rows();
  void embed();
  void write_rows(const at::Tensor& hidden_TH, float* embeddings_nH);
  int64_t hidden_size() const { return model_.config().encoder.hidden_size; }

  const LiveSequence& sequence_;
  StepModel& model_;

  std::vector<int64_t> order_;           // events, those of a patient side by side
  std::vector<int64_t> row_of_event_n_;  // of the patient's last token in this pass, -1 = none
  std::vector<PatientState*> patients_T_;
  LiveTokens tokens_;
  std::vector<int32_t> ids_, offsets_;
  std::vector<float> weights_, ages_, time_data_;
  StepRows rows_;
  Buffer embedded_;
};

}  // namespace sequela
