#include "sequela/nn/kernels/hawk_tiled.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "sequela/nn/kernels/scratch.h"
#include "sequela/nn/kernels/tile_gemm.h"

namespace sequela {
namespace {

template <class In, class T = In>
Rows<T> block_rows(const at::Tensor& x_TW, int64_t channel) {
  return {static_cast<In*>(x_TW.data_ptr()) + channel, x_TW.stride(0)};
}

// A gate's weight [size][size], or its transpose, as tile_gemm's right operand.
at::Tensor right_operand(const at::Tensor& weight, float) {
  return weight.contiguous();
}
at::Tensor right_operand(const at::Tensor& weight, uint16_t) {
  return weight.to(at::kBFloat16).unflatten(0, {-1, 2}).transpose(1, 2).contiguous();
}

template <class Tile>
const Tile* operand(const at::Tensor& packed) {
  return static_cast<const Tile*>(packed.const_data_ptr());
}

// One gate block's parameters and the buffers of one chunk.
template <class In, class Tile>
class BlockWorker {
 public:
  BlockWorker(const HawkTileOps<In, Tile>& ops, const HawkParameters& p,
              const PackedSequences& sequences, const at::Tensor& decay_W, int64_t block)
      : ops_(ops),
        sequences_(sequences),
        size_(p.a_gate_weight_NBB.size(1)),
        channel_(block * size_),
        a_weight_(right_operand(p.a_gate_weight_NBB[block], Tile{})),
        input_weight_(right_operand(p.input_gate_weight_NBB[block], Tile{})),
        block_{p.conv_weight_4W.const_data_ptr<float>() + channel_,
               p.conv_weight_4W.stride(0),
               p.conv_bias_W.const_data_ptr<float>() + channel_,
               p.a_gate_bias_NB.const_data_ptr<float>() + channel_,
               p.input_gate_bias_NB.const_data_ptr<float>() + channel_,
               decay_W.const_data_ptr<float>() + channel_},
        a_gate_(kHawkChunk * size_),
        input_gate_(kHawkChunk * size_),
        conv_(kHawkChunk * size_),
        conv_operand_(kHawkChunk * size_) {}

  HawkChunk chunk_at(int64_t index) const {
    const int64_t first = index * kHawkChunk;
    return {first, std::min(kHawkChunk, sequences_.num_tokens() - first), size_,
            sequences_.token_starts.data()};
  }

  // The convolution and the gates' products of one chunk.
  HawkActivations activate(const HawkChunk& chunk, Rows<const In> x) {
    ops_.convolve(chunk, block_, x, conv_.data(), conv_operand_.data());
    const TileShape shape = {kHawkChunk, size_, size_, size_, size_, size_};
    tile_gemm(shape, Sum::start, conv_operand_.data(), operand<Tile>(a_weight_), a_gate_.data());
    tile_gemm(shape, Sum::start, conv_operand_.data(), operand<Tile>(input_weight_),
              input_gate_.data());
    return {a_gate_.data(), input_gate_.data(), conv_.data()};
  }

  int64_t size() const { return size_; }
  int64_t channel() const { return channel_; }
  const HawkBlock& block() const { return block_; }
  const Tile* conv_operand() { return conv_operand_.data(); }

 private:
  const HawkTileOps<In, Tile>& ops_;
  const PackedSequences& sequences_;
  const int64_t size_, channel_;
  const at::Tensor a_weight_, input_weight_;
  const HawkBlock block_;
  Scratch<float> a_gate_, input_gate_, conv_;
  Scratch<Tile> conv_operand_;
};

// The buffers and sums of the backward pass of one gate block.
template <class In, class Tile>
class BackwardWorker {
 public:
  BackwardWorker(const HawkTileOps<In, Tile>& ops, const HawkBackwardCall& call,
                 const at::Tensor& decay_W, int64_t block)
      : ops_(ops),
        call_(call),
        forward_(ops, call.parameters, call.sequences, decay_W, block),
        size_(forward_.size()),
        tile_values_(kHawkChunk * size_),
        block_(block),
        a_weight_(right_operand(call.parameters.a_gate_weight_NBB[block].t(), Tile{})),
        input_weight_(right_operand(call.parameters.input_gate_weight_NBB[block].t(), Tile{})),
        sums_(at::zeros({8, size_})),
        grad_state_(at::zeros({size_})),
        carry_(at::zeros({3, size_})),
        grad_a_weight_(at::zeros({size_, size_})),
        grad_input_weight_(at::zeros({size_, size_})),
        grad_conv_(tile_values_),
        grad_a_gate_(tile_values_),
        grad_input_gate_(tile_values_),
        packed_(tile_values_),
        transposed_(tile_values_) {}

  void run() {
    for (int64_t c = num_hawk_chunks(call_.sequences.num_tokens()) - 1; c >= 0; --c) run_chunk(c);
    add_to_gradients();
  }

 private:
  HawkSums sums() {
    float* s = sums_.data_ptr<float>();
    return {s, s + 4 * size_, s + 5 * size_, s + 6 * size_, s + 7 * size_};
  }

  void run_chunk(int64_t index) {
    const int64_t channel = forward_.channel();
    const HawkChunk chunk = forward_.chunk_at(index);
    const HawkActivations activations =
        forward_.activate(chunk, block_rows<In, const In>(call_.x_TW, channel));
    const float* state = call_.saved_states_CW.const_data_ptr<float>() +
                         index * call_.saved_states_CW.size(1) + channel;
    ops_.scan_backward(chunk, forward_.block(), activations,
                       block_rows<In, const In>(call_.y_TW, channel), state,
                       block_rows<In, const In>(call_.grad_out_TW, channel),
                       grad_state_.data_ptr<float>(), block_rows<In>(call_.grad_y_TW, channel),
                       {grad_a_gate_.data(), grad_input_gate_.data(), grad_conv_.data()}, sums());
    ops_.transpose(forward_.conv_operand(), size_, packed_.data(), transposed_.data());
    run_gate(grad_a_gate_.data(), a_weight_, grad_a_weight_);
    run_gate(grad_input_gate_.data(), input_weight_, grad_input_weight_);
    ops_.convolve_backward(chunk, forward_.block(), block_rows<In, const In>(call_.x_TW, channel),
                           grad_conv_.data(), carry_.data_ptr<float>(),
                           block_rows<In>(call_.grad_x_TW, channel), sums());
  }

  // A gate's share of the convolution's gradient, and of its weight's.
  void run_gate(const Tile* grad_gate, const at::Tensor& weight, at::Tensor& grad_weight) {
    tile_gemm({kHawkChunk, size_, size_, size_, size_, size_}, Sum::add, grad_gate,
              operand<Tile>(weight), grad_conv_.data());
    ops_.pack_rows(grad_gate, size_, packed_.data());
    tile_gemm({size_, size_, kHawkChunk, kHawkChunk, size_, size_}, Sum::add, transposed_.data(),
              packed_.data(), grad_weight.data_ptr<float>());
  }

  void add_to_gradients() {
    const HawkParameters& g = call_.gradients;
    const int64_t channel = forward_.channel();
    auto add = [&](const at::Tensor& gradient_W, const at::Tensor& sum) {
      gradient_W.view({-1}).narrow(0, channel, size_).add_(sum);
    };
    g.conv_weight_4W.narrow(1, channel, size_).add_(sums_.narrow(0, 0, 4));
    add(g.conv_bias_W, sums_[4]);
    add(g.a_gate_bias_NB, sums_[5]);
    add(g.input_gate_bias_NB, sums_[6]);
    const at::Tensor a_param = call_.parameters.a_param_W.narrow(0, channel, size_);
    add(g.a_param_W, -8 * sums_[7] * at::sigmoid(a_param));
    g.a_gate_weight_NBB[block_].add_(grad_a_weight_);
    g.input_gate_weight_NBB[block_].add_(grad_input_weight_);
  }

  const HawkTileOps<In, Tile>& ops_;
  const HawkBackwardCall& call_;
  BlockWorker<In, Tile> forward_;
  const int64_t size_, tile_values_, block_;
  const at::Tensor a_weight_, input_weight_;  // transposed
  at::Tensor sums_, grad_state_, carry_, grad_a_weight_, grad_input_weight_;
  Scratch<float> grad_conv_;
  Scratch<Tile> grad_a_gate_, grad_input_gate_, packed_, transposed_;
};

at::Tensor decay_of(const HawkParameters& parameters) {
  return -8 * at::softplus(parameters.a_param_W);
}

}  // namespace

template <class In, class Tile>
void tiled_hawk_forward(const HawkTileOps<In, Tile>& ops, const at::Tensor& x_TW,
                        const at::Tensor& y_TW, const HawkParameters& parameters,
                        const PackedSequences& sequences, const at::Tensor& out_TW,
                        const at::Tensor& saved_states_CW) {
  const at::Tensor decay_W = decay_of(parameters);
  at::parallel_for(0, parameters.a_gate_weight_NBB.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      BlockWorker<In, Tile> worker(ops, parameters, sequences, decay_W, n);
      const int64_t channel = worker.channel();
      std::vector<float> state(worker.size(), 0.0f);
      for (int64_t c = 0; c < saved_states_CW.size(0); ++c) {
        std::copy(state.begin(), state.end(), saved_states_CW[c].data_ptr<float>() + channel);
        const HawkChunk chunk = worker.chunk_at(c);
        const HawkActivations activations =
            worker.activate(chunk, block_rows<In, const In>(x_TW, channel));
        ops.scan(chunk, worker.block(), activations, block_rows<In, const In>(y_TW, channel),
                 state.data(), block_rows<In>(out_TW, channel));
      }
    }
    tile_gemm_done();
  });
}

template <class In, class Tile>
void tiled_hawk_backward(const HawkTileOps<In, Tile>& ops, const HawkBackwardCall& call) {
  const at::Tensor decay_W = decay_of(call.parameters);
  at::parallel_for(0, call.parameters.a_gate_weight_NBB.size(0), 1,
                   [&](int64_t begin, int64_t end) {
                     for (int64_t n = begin; n < end; ++n)
                       BackwardWorker<In, Tile>(ops, call, decay_W, n).run();
                     tile_gemm_done();
                   });
}

#define SEQUELA_INSTANTIATE(In, Tile)                                                             \
  template void tiled_hawk_forward(const HawkTileOps<In, Tile>&, const at::Tensor&,               \
                                   const at::Tensor&, const HawkParameters&,                      \
                                   const PackedSequences&, const at::Tensor&, const at::Tensor&); \
  template void tiled_hawk_backward(const HawkTileOps<In, Tile>&, const HawkBackwardCall&);
SEQUELA_INSTANTIATE(float, float)
SEQUELA_INSTANTIATE(uint16_t, float)
SEQUELA_INSTANTIATE(uint16_t, uint16_t)
#undef SEQUELA_INSTANTIATE

}  // namespace sequela
