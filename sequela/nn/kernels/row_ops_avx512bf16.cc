#include "sequela/nn/kernels/row_ops_body.h"

namespace sequela {

const RowOps kRowOpsAvx512Bf16 = row_ops();

}  // namespace sequela
