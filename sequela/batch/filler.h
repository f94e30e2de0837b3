#pragma once

#include "sequela/nn/inputs.h"

namespace sequela {

// Appends a sequence of empty tokens, as many as padded_rows() (nn/gemm.h) asks for: batches of
// ever new sizes would have oneDNN compile their products anew. Empty tokens have no bag, no label
// and no gradient; losses, gradients and the states of other tokens stay as they are. CPU tensors.
void fill_up(BatchInputs& inputs);

}  // namespace sequela
