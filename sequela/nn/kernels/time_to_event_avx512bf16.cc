#include "sequela/nn/kernels/time_to_event_tile_ops.h"

namespace sequela {

const TimeToEventTables kTimeToEventAvx512Bf16 = {time_to_event_ops<float>(),
                                                  time_to_event_ops<BFloat16>()};

}  // namespace sequela
