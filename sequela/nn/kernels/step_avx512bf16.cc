#include "sequela/nn/kernels/step_body.h"

namespace sequela {

const StepOps kStepAvx512Bf16 = step_ops();

}  // namespace sequela
