// Forward pass by tiles of 64 queries: a strip of scores for all keys in reach, softmax, product
// with the values.

#include <ATen/Parallel.h>

#include <cmath>

#include "sequela/nn/kernels/attention_tiled.h"
#include "sequela/nn/kernels/scratch.h"
#include "sequela/nn/kernels/tile_gemm.h"

namespace sequela {
namespace {

constexpr int64_t kSegment = 16;  // query tiles of one task; their keys are packed once

template <class In, class Tile>
class ForwardWorker {
 public:
  ForwardWorker(const AttentionInputs& inputs, const TilePlan& plan,
                const AttentionTileOps<In, Tile>& ops)
      : inputs_(inputs),
        plan_(plan),
        ops_(ops),
        rotary_(inputs),
        size_(inputs.q_THD.size(2)),
        tile_values_(kAttentionTile * size_),
        stride_(plan.max_span * kAttentionTile),
        keys_(num_slots(plan) * tile_values_),
        values_(num_slots(plan) * tile_values_),
        tile_(tile_values_),
        scores_(kAttentionTile * stride_),
        weights_(kAttentionTile * stride_),
        sums_(tile_values_) {}

  void run_segment(int64_t head, int64_t begin, int64_t end, const at::Tensor& out_THD,
                   float* logsumexp) {
    const int64_t first_tile = plan_.first_key_tile[begin];
    for (int64_t b = first_tile; b <= plan_.last_key_tile[end - 1]; ++b)
      pack_keys(head, b, b - first_tile);
    for (int64_t b = begin; b < end; ++b) {
      run_tile(head, b, plan_.first_key_tile[b] - first_tile, HeadView<In>(out_THD, head),
               logsumexp);
    }
  }

 private:
  // Key tiles that one segment can reach.
  static int64_t num_slots(const TilePlan& plan) {
    return std::min(plan.num_tiles, kSegment + 2 * plan.max_span);
  }

  void pack_keys(int64_t head, int64_t tile, int64_t slot) {
    const int64_t t = tile * kAttentionTile, rows = plan_.rows_of(tile);
    const HeadView<In> k(inputs_.k_THD, head), v(inputs_.v_THD, head);
    ops_.load_rows(k.row(t), k.stride, rows, size_, rotary_.rows(t), tile_.data());
    ops_.pack_transposed(tile_.data(), size_, keys_ + slot * tile_values_);
    ops_.load_rows(v.row(t), v.stride, rows, size_, kNoRotation, tile_.data());
    ops_.pack_rows(tile_.data(), size_, values_ + slot * tile_values_);
  }

  ScoreStrip strip_of(int64_t tile, int64_t span) {
    const int64_t base = plan_.first_key_tile[tile] * kAttentionTile;
    for (int64_t r = 0; r < kAttentionTile; ++r) {
      const int64_t query = tile * kAttentionTile + r;
      const bool is_token = query < plan_.num_tokens;
      first_columns_[r] = is_token ? static_cast<int32_t>(plan_.first_key(query) - base) : 0;
      last_columns_[r] = is_token ? static_cast<int32_t>(plan_.last_key(query) - base) : -1;
    }
    const float scale = static_cast<float>(M_LOG2E / std::sqrt(static_cast<double>(size_)));
    return {scores_.data(), stride_, span * kAttentionTile, first_columns_, last_columns_, scale};
  }

  void run_tile(int64_t head, int64_t tile, int64_t first_slot, const HeadView<In>& out,
                float* logsumexp) {
    const int64_t t = tile * kAttentionTile, rows = plan_.rows_of(tile);
    const int64_t span = plan_.span(tile);
    const HeadView<In> q(inputs_.q_THD, head);
    ops_.load_rows(q.row(t), q.stride, rows, size_, rotary_.rows(t), tile_.data());
    for (int64_t i = 0; i < span; ++i) {
      tile_gemm({kAttentionTile, kAttentionTile, size_, size_, kAttentionTile, stride_}, Sum::start,
                tile_.data(), keys_ + (first_slot + i) * tile_values_,
                scores_ + i * kAttentionTile);
    }
    const ScoreStrip strip = strip_of(tile, span);
    float largest[kAttentionTile], sums[kAttentionTile];
    ops_.softmax(strip, weights_.data(), largest, sums);
    tile_gemm({kAttentionTile, size_, span * kAttentionTile, stride_, size_, size_}, Sum::start,
              weights_.data(), values_ + first_slot * tile_values_, sums_.data());
    for (int64_t r = 0; r < rows; ++r) {
      logsumexp[t + r] = static_cast<float>(largest[r] * strip.scale * M_LN2) + std::log(sums[r]);
      sums[r] = 1 / sums[r];
    }
    ops_.store_rows(sums_.data(), rows, size_, sums, kNoRotation, out.row(t), out.stride);
  }

  const AttentionInputs& inputs_;
  const TilePlan& plan_;
  const AttentionTileOps<In, Tile>& ops_;
  const RotaryTables rotary_;
  const int64_t size_, tile_values_, stride_;
  Scratch<Tile> keys_, values_;  // packed, one slot per key tile in reach of the segment
  Scratch<Tile> tile_;
  Scratch<float> scores_;
  Scratch<Tile> weights_;
  Scratch<float> sums_;
  int32_t first_columns_[kAttentionTile], last_columns_[kAttentionTile];
};

}  // namespace

template <class In, class Tile>
void tiled_attention_forward(const AttentionInputs& inputs, const AttentionTileOps<In, Tile>& ops,
                             const at::Tensor& out_THD, const at::Tensor& logsumexp_HT) {
  const TilePlan plan(inputs);
  const int64_t segments = (plan.num_tiles + kSegment - 1) / kSegment;
  at::parallel_for(0, segments * inputs.q_THD.size(1), 1, [&](int64_t begin, int64_t end) {
    ForwardWorker<In, Tile> worker(inputs, plan, ops);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t head = i / segments, first = i % segments * kSegment;
      worker.run_segment(head, first, std::min(first + kSegment, plan.num_tiles), out_THD,
                         logsumexp_HT.data_ptr<float>() + head * plan.num_tokens);
    }
    tile_gemm_done();
  });
}

template void tiled_attention_forward(const AttentionInputs&, const AttentionTileOps<float, float>&,
                                      const at::Tensor&, const at::Tensor&);
template void tiled_attention_forward(const AttentionInputs&,
                                      const AttentionTileOps<uint16_t, float>&, const at::Tensor&,
                                      const at::Tensor&);
template void tiled_attention_forward(const AttentionInputs&,
                                      const AttentionTileOps<uint16_t, uint16_t>&,
                                      const at::Tensor&, const at::Tensor&);

}  // namespace sequela
