#pragma once

// Bodies of hawk_tile.h; included by the files of one instruction set only (see simd.h). Each runs
// down 16 channels with what is carried along in registers.

#include "sequela/nn/kernels/hawk_tile.h"
#include "sequela/nn/kernels/tile_ops.h"

namespace sequela {
namespace {

SEQUELA_INLINE bool is_start(const HawkChunk& chunk, int64_t token) {
  return chunk.token_starts[token] == token;
}

SEQUELA_INLINE void add_to(float* sums, Floats x) {
  store(sums, load(sums) + x);
}

template <class In, class Tile>
void convolve(const HawkChunk& chunk, const HawkBlock& block, Rows<const In> x, float* conv,
              Tile* conv_operand) {
  const int64_t begin = chunk.first_token;
  const int64_t reach =
      begin == 0 ? 0 : begin - chunk.token_starts[begin];  // tokens before that belong to it
  for (int64_t c = 0; c < chunk.size; c += kLanes) {
    Floats weight[4], before[3] = {};
    for (int64_t i = 0; i < 4; ++i) weight[i] = load(block.conv_weight + i * block.conv_stride + c);
    for (int64_t lag = 1; lag <= 3 && lag <= reach; ++lag)
      before[lag - 1] = load(x.data + (begin - lag) * x.stride + c);
    const Floats bias = load(block.conv_bias + c);
    for (int64_t r = 0; r < chunk.num_tokens; ++r) {
      if (is_start(chunk, begin + r)) before[0] = before[1] = before[2] = Floats{};
      const Floats now = load(x.data + (begin + r) * x.stride + c);
      const Floats value = bias + weight[3] * now + weight[2] * before[0] + weight[1] * before[1] +
                           weight[0] * before[2];
      before[2] = before[1];
      before[1] = before[0];
      before[0] = now;
      store(conv + r * chunk.size + c, value);
      store(conv_operand + r * chunk.size + c, value);
    }
  }
  const int64_t used = chunk.num_tokens * chunk.size, rest = kTile * chunk.size - used;
  std::memset(conv + used, 0, rest * sizeof(float));
  std::memset(conv_operand + used, 0, rest * sizeof(Tile));
}

constexpr float kGelu = 1.5957691216057308f;  // 2 sqrt(2 / pi)
constexpr float kGeluCubic = 0.044715f;

// gelu_tanh(y) = y sigmoid(kGelu (y + kGeluCubic y^3))
SEQUELA_INLINE Floats gelu_gate(Floats y) {
  return sigmoid(kGelu * y * (1.0f + kGeluCubic * y * y));
}

struct Decay {
  Floats a, one_minus_square;  // a = 2^x; 1 - a^2 without cancellation
};

SEQUELA_INLINE Decay decay_of(Floats log2_a) {
  const Exp2Parts parts = exp2_parts(2.0f * log2_a);
  return {exp2(log2_a), (1.0f - parts.power()) - parts.power() * parts.tail};
}

struct GateBiases {
  Floats a, input, decay;  // decay in units of log2
};

SEQUELA_INLINE GateBiases gate_biases(const HawkBlock& block, int64_t c) {
  return {load(block.a_gate_bias + c), load(block.input_gate_bias + c),
          load(block.decay + c) * kLog2E};
}

template <class In>
void scan(const HawkChunk& chunk, const HawkBlock& block, const HawkActivations& m,
          Rows<const In> y, float* state, Rows<In> out) {
  for (int64_t c = 0; c < chunk.size; c += kLanes) {
    const GateBiases biases = gate_biases(block, c);
    Floats s = load(state + c);
    for (int64_t r = 0; r < chunk.num_tokens; ++r) {
      const int64_t at = r * chunk.size + c, token = chunk.first_token + r;
      const Floats input = load(m.conv + at) * sigmoid(load(m.input_gate + at) + biases.input);
      const Decay decay = decay_of(biases.decay * sigmoid(load(m.a_gate + at) + biases.a));
      s = is_start(chunk, token) ? input : decay.a * s + input * sqrt(decay.one_minus_square);
      const Floats gate = load(y.data + token * y.stride + c);
      store(out.data + token * out.stride + c, s * gate * gelu_gate(gate));
    }
    store(state + c, s);
  }
}

// What the backward sweep needs of each token, for 16 channels of a chunk.
struct ScanTrace {
  Floats a_gate[kTile], input_gate[kTile], a[kTile], one_minus_square[kTile], before[kTile];
};

SEQUELA_INLINE void trace_scan(const HawkChunk& chunk, const GateBiases& biases,
                               const HawkActivations& m, Floats s, int64_t c, ScanTrace& trace) {
  for (int64_t r = 0; r < chunk.num_tokens; ++r) {
    const int64_t at = r * chunk.size + c;
    trace.a_gate[r] = sigmoid(load(m.a_gate + at) + biases.a);
    trace.input_gate[r] = sigmoid(load(m.input_gate + at) + biases.input);
    const Decay decay = decay_of(biases.decay * trace.a_gate[r]);
    trace.a[r] = decay.a;
    trace.one_minus_square[r] = decay.one_minus_square;
    trace.before[r] = s;
    const Floats input = load(m.conv + at) * trace.input_gate[r];
    s = is_start(chunk, chunk.first_token + r) ? input
                                               : decay.a * s + input * sqrt(decay.one_minus_square);
  }
}

// The state at the end of row r.
SEQUELA_INLINE Floats state_after(const ScanTrace& trace, int64_t r, Floats conv, bool is_first) {
  const Floats input = conv * trace.input_gate[r];
  return is_first ? input : trace.a[r] * trace.before[r] + input * sqrt(trace.one_minus_square[r]);
}

constexpr float kMinFourSquare = 1e-6f;  // bounds the root's derivative by 1000

template <class In, class Tile>
void scan_backward(const HawkChunk& chunk, const HawkBlock& block, const HawkActivations& m,
                   Rows<const In> y, const float* state, Rows<const In> grad_out, float* grad_state,
                   Rows<In> grad_y, const HawkTileGradients<Tile>& gradients,
                   const HawkSums& sums) {
  ScanTrace trace;
  for (int64_t c = 0; c < chunk.size; c += kLanes) {
    const GateBiases biases = gate_biases(block, c);
    const Floats decay = load(block.decay + c);
    trace_scan(chunk, biases, m, load(state + c), c, trace);
    Floats carry = load(grad_state + c), sum_a = {}, sum_input = {}, sum_decay = {};
    for (int64_t r = chunk.num_tokens - 1; r >= 0; --r) {
      const int64_t at = r * chunk.size + c, token = chunk.first_token + r;
      const bool is_first = is_start(chunk, token);
      const Floats conv = load(m.conv + at), gate = load(y.data + token * y.stride + c);
      const Floats sigma = gelu_gate(gate),
                   grad = load(grad_out.data + token * grad_out.stride + c);
      const Floats slope =
          gate * sigma * (1.0f - sigma) * kGelu * (1.0f + 3.0f * kGeluCubic * gate * gate);
      store(grad_y.data + token * grad_y.stride + c,
            grad * state_after(trace, r, conv, is_first) * (sigma + slope));

      const Floats grad_s = grad * gate * sigma + carry;
      const Floats a = trace.a[r], rest = trace.one_minus_square[r],
                   input_gate = trace.input_gate[r];
      const Floats root = is_first ? splat(1.0f) : sqrt(rest);
      Floats grad_log_a = {};
      if (!is_first) {
        const Floats slope_of_root = 2.0f / sqrt(max(4.0f * rest, splat(kMinFourSquare)));
        grad_log_a =
            grad_s * (trace.before[r] * a - conv * input_gate * (1.0f - rest) * slope_of_root);
      }
      const Floats a_gate = trace.a_gate[r];
      const Floats grad_a_gate = grad_log_a * decay * a_gate * (1.0f - a_gate);
      const Floats grad_input = grad_s * root * input_gate;
      const Floats grad_input_gate = grad_input * conv * (1.0f - input_gate);
      sum_decay += grad_log_a * a_gate;
      sum_a += grad_a_gate;
      sum_input += grad_input_gate;
      store(gradients.a_gate + at, grad_a_gate);
      store(gradients.input_gate + at, grad_input_gate);
      store(gradients.conv + at, grad_input);
      carry = is_first ? Floats{} : a * grad_s;
    }
    store(grad_state + c, carry);
    add_to(sums.a_gate_bias + c, sum_a);
    add_to(sums.input_gate_bias + c, sum_input);
    add_to(sums.decay + c, sum_decay);
  }
  const int64_t used = chunk.num_tokens * chunk.size, rest = kTile * chunk.size - used;
  std::memset(gradients.a_gate + used, 0, rest * sizeof(Tile));
  std::memset(gradients.input_gate + used, 0, rest * sizeof(Tile));
  std::memset(gradients.conv + used, 0, rest * sizeof(float));
}

template <class In>
void convolve_backward(const HawkChunk& chunk, const HawkBlock& block, Rows<const In> x,
                       const float* grad_conv, float* carry, Rows<In> grad_x,
                       const HawkSums& sums) {
  const int64_t size = chunk.size;
  for (int64_t c = 0; c < size; c += kLanes) {
    Floats weight[4], after[3], sum_weight[4] = {}, sum_bias = {};
    for (int64_t i = 0; i < 4; ++i) weight[i] = load(block.conv_weight + i * block.conv_stride + c);
    for (int64_t i = 0; i < 3; ++i) after[i] = load(carry + i * size + c);
    for (int64_t r = chunk.num_tokens - 1; r >= 0; --r) {
      const int64_t token = chunk.first_token + r;
      const Floats now = load(grad_conv + r * size + c),
                   value = load(x.data + token * x.stride + c);
      store(grad_x.data + token * grad_x.stride + c,
            weight[3] * now + weight[2] * after[0] + weight[1] * after[1] + weight[0] * after[2]);
      sum_bias += now;
      sum_weight[3] += now * value;
      for (int i = 0; i < 3; ++i) sum_weight[2 - i] += after[i] * value;
      after[2] = after[1];
      after[1] = after[0];
      after[0] = now;
      if (is_start(chunk, token)) after[0] = after[1] = after[2] = Floats{};
    }
    for (int64_t i = 0; i < 3; ++i) store(carry + i * size + c, after[i]);
    for (int64_t i = 0; i < 4; ++i) add_to(sums.conv_weight + i * size + c, sum_weight[i]);
    add_to(sums.conv_bias + c, sum_bias);
  }
}

template <class Tile>
void transpose_operand(const Tile* from, int64_t size, Tile* scratch, Tile* to) {
  pack_transposed(from, size, scratch);
  unpack_transposed(scratch, size, to);
}

template <class In, class Tile>
constexpr HawkTileOps<In, Tile> hawk_ops() {
  return {convolve<In, Tile>,    scan<In>,  scan_backward<In, Tile>,
          convolve_backward<In>, pack_rows, transpose_operand<Tile>};
}

}  // namespace
}  // namespace sequela
