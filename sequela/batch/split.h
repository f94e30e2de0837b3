#pragma once

#include <vector>

#include "sequela/nn/inputs.h"

namespace sequela {

// Inputs on the CPU in at most `most` parts of whole sequences, of about as many tokens each, in
// order; views of them but for offsets.
struct InputsPart {
  BatchInputs inputs;
  int64_t first_token = 0;  // in the whole
};
std::vector<InputsPart> split_inputs(const BatchInputs& inputs, int64_t most);

// The same of a batch. A part may have no label; targets go with their labels.
std::vector<MotorBatch> split_batch(const MotorBatch& batch, int64_t most);

}  // namespace sequela
