#pragma once

#include <cstdint>

namespace sequela {

// The parts of the hawk core that are compiled per instruction set. They work on a chunk:
// `num_tokens` <= 64 tokens from `first_token` on, `size` channels (a multiple of 16) of one gate
// block. Tiles are [64][size]. In = the type of the tensors, Tile = that of the products' operands:
// float, or uint16_t for the bits of a bfloat16.

struct HawkChunk {
  int64_t first_token, num_tokens, size;
  const int32_t* token_starts;  // of all tokens
};

template <class T>
struct Rows {
  T* data;  // row 0 = token 0, column 0 = the block's first channel
  int64_t stride;
};

// One block's parameters: [size] each, the convolution's rows `conv_stride` apart.
struct HawkBlock {
  const float* conv_weight;
  int64_t conv_stride;
  const float* conv_bias;
  const float* a_gate_bias;
  const float* input_gate_bias;
  const float* decay;  // -8 softplus(a_param)
};

// What is added up over the chunks; [size] each, the convolution's rows `size` apart.
struct HawkSums {
  float* conv_weight;
  float* conv_bias;
  float* a_gate_bias;
  float* input_gate_bias;
  float* decay;
};

// Gates before bias and sigmoid, and the convolution's result.
struct HawkActivations {
  const float* a_gate;
  const float* input_gate;
  const float* conv;
};

template <class Tile>
struct HawkTileGradients {
  Tile* a_gate;
  Tile* input_gate;
  float* conv;
};

template <class In, class Tile>
struct HawkTileOps {
  // conv = the causal convolution of x, in both types; rows from num_tokens on are 0.
  void (*convolve)(const HawkChunk& chunk, const HawkBlock& block, Rows<const In> x, float* conv,
                   Tile* conv_operand);
  // The recurrence and the output gate; `state` [size] is carried from chunk to chunk.
  void (*scan)(const HawkChunk& chunk, const HawkBlock& block, const HawkActivations& activations,
               Rows<const In> y, float* state, Rows<In> out);
  // Its gradient; `state` is that before the chunk, `grad_state` [size] is carried from chunk to
  // chunk, backwards. Gradients of the gates are those before the sigmoid; that of conv lacks the
  // part through the gates.
  void (*scan_backward)(const HawkChunk& chunk, const HawkBlock& block,
                        const HawkActivations& activations, Rows<const In> y, const float* state,
                        Rows<const In> grad_out, float* grad_state, Rows<In> grad_y,
                        const HawkTileGradients<Tile>& gradients, const HawkSums& sums);
  // Gradient of the convolution; `carry` [3][size] holds grad_conv of the three tokens after the
  // chunk, as far as they can see this far back.
  void (*convolve_backward)(const HawkChunk& chunk, const HawkBlock& block, Rows<const In> x,
                            const float* grad_conv, float* carry, Rows<In> grad_x,
                            const HawkSums& sums);
  void (*pack_rows)(const Tile* from, int64_t size, Tile* to);
  // to[size][64] = transpose of from[64][size]; `scratch` is a tile.
  void (*transpose)(const Tile* from, int64_t size, Tile* scratch, Tile* to);
};

struct HawkTileTables {
  HawkTileOps<float, float> fp32;
  HawkTileOps<uint16_t, float> bf16_by_fp32;
  HawkTileOps<uint16_t, uint16_t> bf16;
};

extern const HawkTileTables kHawkTileAvx2;
extern const HawkTileTables kHawkTileAvx512;
extern const HawkTileTables kHawkTileAvx512Bf16;

}  // namespace sequela
