#include "sequela/nn/kernels/few_rows_body.h"

namespace sequela {

const FewRowsOps kFewRowsAvx2 = few_rows_ops();

}  // namespace sequela
