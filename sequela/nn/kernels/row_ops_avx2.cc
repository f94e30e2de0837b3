#include "sequela/nn/kernels/row_ops_body.h"

namespace sequela {

const RowOps kRowOpsAvx2 = row_ops();

}  // namespace sequela
