#include "sequela/nn/kernels/few_rows_body.h"

namespace sequela {

const FewRowsOps kFewRowsAvx512Bf16 = few_rows_ops();

}  // namespace sequela
