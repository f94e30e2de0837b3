#pragma once

#include "sequela/batch/arrays_batch.h"
#include "sequela/batch/builder.h"
#include "sequela/nn/inputs.h"

namespace sequela {

// A batch as CPU tensors. The arrays are moved into them where the type is the same.
BatchInputs to_inputs(BatchArrays&& batch);
// The same with the targets in batch.rows.
MotorBatch to_motor_batch(BatchArrays&& batch);
// The same with those in batch.targets.
ArraysBatch to_arrays_batch(BatchArrays&& batch);

}  // namespace sequela
