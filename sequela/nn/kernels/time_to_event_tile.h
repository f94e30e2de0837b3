#pragma once

#include <cstdint>

namespace sequela {

// A tile of up to 64 rows (label, bin) by 64 tasks of the time-to-event loss, compiled per
// instruction set.
struct LossTile {
  int64_t num_rows;
  const float* logits;  // [64][64], without bias
  const float*
      risk;  // [64][64] seconds at risk; the sign bit is set in the cell that holds the event
  const int32_t* bins;    // [num_rows]
  const float* bias;      // [bins][stride], first column = the tile's first task
  float* bias_gradients;  // the same layout, added to
  int64_t stride;         // of both
  float gradient_scale;   // ln 2 / cells * the caller's scale
};

struct LossParts {
  float survival = 0;  // sum of u 2^logit
  float event = 0;     // sum of e logit
};

template <class Tile>
struct TimeToEventOps {
  void (*pack_transposed)(const Tile* from, int64_t size, Tile* to);
  LossParts (*loss)(const LossTile& tile);
  // The same, and adds each column's cost in nats to costs[64].
  LossParts (*loss_by_task)(const LossTile& tile, float* costs);
  // The same, and gradients[64][stride] of the logits; rows from num_rows on are 0.
  LossParts (*loss_and_gradient)(const LossTile& tile, Tile* gradients, int64_t stride);
};

struct TimeToEventTables {
  TimeToEventOps<float> fp32;
  TimeToEventOps<uint16_t> bf16;
};

extern const TimeToEventTables kTimeToEventAvx2;
extern const TimeToEventTables kTimeToEventAvx512;
extern const TimeToEventTables kTimeToEventAvx512Bf16;

}  // namespace sequela
