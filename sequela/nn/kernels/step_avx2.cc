#include "sequela/nn/kernels/step_body.h"

namespace sequela {

const StepOps kStepAvx2 = step_ops();

}  // namespace sequela
