#include "sequela/nn/kernels/step_body.h"

namespace sequela {

const StepOps kStepAvx512 = step_ops();

}  // namespace sequela
