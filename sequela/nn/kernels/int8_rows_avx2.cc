#include "sequela/nn/kernels/int8_rows_body.h"

namespace sequela {

const Int8RowOps kInt8RowsAvx2 = kInt8Rows;

}  // namespace sequela
