#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "sequela/nn/sequences.h"

namespace sequela {

// What a batch of packed sequences is: the contract between `batch`, which makes it, and `model`,
// which reads it. Sequences lie one after another without padding.
//
//   S = sequences, T = tokens of all of them, N = bag entries of all tokens, L = labelled tokens,
//   Z = entries of the targets' sparse rows
struct BatchInputs {
  at::Tensor subject_ids_S;     // int64
  at::Tensor lengths_S;         // int32, tokens per sequence; sums to T
  at::Tensor token_ids_N;       // int32, ids in the dictionary
  at::Tensor token_weights_N;   // float32
  at::Tensor token_offsets_T1;  // int32, token t owns entries [offsets[t], offsets[t + 1]); flat:
                                // 0, 1, 2, ...
  at::Tensor ages_days_T;       // float32
  at::Tensor time_data_T5;      // float32 (values rounded to float16, as femr stores them)
  at::Tensor timestamps_T;      // int64, seconds since 1970
  at::Tensor label_indices_L;   // int32, ascending: the tokens with a label
  // Of lengths_S, on the device of the rest, by who brought the batch there; null: the model makes
  // them, and waits for the device.
  std::shared_ptr<const PackedSequences> sequences;
};

// Targets of the MOTOR head for the labelled tokens. Row l holds the tasks that do occur after
// label l; every other task is censored at censor_seconds[l].
struct MotorTargets {
  at::Tensor censor_seconds_L;  // float32, last record minus label time
  at::Tensor row_offsets_L1;    // int32
  at::Tensor task_ids_Z;        // int32, ascending within a row
  at::Tensor event_seconds_Z;   // float32, > 0
  // reached_rows() (time_to_event.h), likewise; undefined: the loss looks for them, and waits.
  at::Tensor reached_rows_R;  // int64
};

struct MotorBatch {
  BatchInputs inputs;
  MotorTargets targets;
};

// The tensors that a pass reads on its device, to be brought there. Lengths stay: the packing is
// made on the host.
std::vector<at::Tensor*> device_tensors(BatchInputs& inputs);
std::vector<at::Tensor*> device_tensors(MotorTargets& targets);

}  // namespace sequela
