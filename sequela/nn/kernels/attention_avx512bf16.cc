#include "sequela/nn/kernels/attention_tile_ops.h"

namespace sequela {

const AttentionTileTables kAttentionTileAvx512Bf16 = {attention_ops<float, float>(),
                                                      attention_ops<BFloat16, float>(),
                                                      attention_ops<BFloat16, BFloat16>()};

}  // namespace sequela
