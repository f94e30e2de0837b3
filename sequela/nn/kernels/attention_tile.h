#pragma once

#include <cstdint>

namespace sequela {

// The parts of tiled attention that are compiled per instruction set. A tile is 64 rows; T = number
// of columns (the head size) is a multiple of 16. In = the type of the tensors, Tile = the type of
// the products' operands: float, or uint16_t for the bits of a bfloat16.

struct RotaryRows {
  const float* cosines;  // [rows][size / 2], or null
  const float* sines;
};

// Scores of 64 queries against a strip of keys.
struct ScoreStrip {
  float* scores;  // [64][stride]
  int64_t stride;
  int64_t num_columns;  // multiple of 64
  const int32_t*
      first_columns;  // [64] of each row: the first and the last column that it attends to
  const int32_t* last_columns;  // -1 for rows that are padding
  float scale;                  // of the scores, with log2(e)
};

// A pair of key tile (rows) and query tile (columns), all [64][64].
struct ScorePair {
  const float* scores;
  const float* grad_weights;  // of the softmax's result
  const float* logsumexp2;    // [64] by query, in units of log2
  const float* delta;         // [64] by query
  const int32_t*
      first_keys;  // [64] by query, relative to the key tile; the last key is relative too
  const int32_t* last_keys;
  bool is_masked;    // some pair is outside the mask
  float scale;       // with log2(e)
  float grad_scale;  // 1 / sqrt(size)
};

template <class In, class Tile>
struct AttentionTileOps {
  // to[64][size] = rotated rows; rows from num_rows on are 0.
  void (*load_rows)(const In* from, int64_t stride, int64_t num_rows, int64_t size,
                    RotaryRows rotary, Tile* to);
  // Rows times factors[row] (null = 1), rotated back, to the tensor.
  void (*store_rows)(const float* from, int64_t num_rows, int64_t size, const float* factors,
                     RotaryRows rotary, In* to, int64_t stride);
  void (*pack_transposed)(const Tile* from, int64_t size, Tile* to);
  void (*pack_rows)(const Tile* from, int64_t size, Tile* to);
  void (*unpack_transposed)(const Tile* packed, int64_t size, Tile* to);
  void (*transpose)(const float* from_S64, int64_t size,
                    float* to_64S);  // [size][64] to [64][size]
  // weights[64][stride] = exp(scale * (score - row's largest)), 0 outside the mask; the rows'
  // largest and sums.
  void (*softmax)(const ScoreStrip& strip, Tile* weights, float* largest, float* sums);
  // weights and grad_scores [64][64], and grad_scores as a right operand (may be grad_scores for
  // float).
  void (*softmax_backward)(const ScorePair& pair, Tile* weights, Tile* grad_scores,
                           Tile* packed_grad_scores);
  // delta[row] = out[row] . grad_out[row]
  void (*dot_rows)(const In* a, int64_t a_stride, const In* b, int64_t b_stride, int64_t num_rows,
                   int64_t size, float* dots);
};

struct AttentionTileTables {
  AttentionTileOps<float, float> fp32;
  AttentionTileOps<uint16_t, float> bf16_by_fp32;
  AttentionTileOps<uint16_t, uint16_t> bf16;
};

extern const AttentionTileTables kAttentionTileAvx2;
extern const AttentionTileTables kAttentionTileAvx512;
extern const AttentionTileTables kAttentionTileAvx512Bf16;

}  // namespace sequela
