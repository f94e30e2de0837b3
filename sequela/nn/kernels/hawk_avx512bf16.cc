#include "sequela/nn/kernels/hawk_tile_ops.h"

namespace sequela {

const HawkTileTables kHawkTileAvx512Bf16 = {hawk_ops<float, float>(), hawk_ops<BFloat16, float>(),
                                            hawk_ops<BFloat16, BFloat16>()};

}  // namespace sequela
