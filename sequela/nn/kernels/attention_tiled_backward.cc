// Backward pass by pairs of a key tile and a query tile, on transposed scores, so that what belongs
// to a query (logsumexp, delta, mask) is a plain vector. A ring holds the query tiles in reach of
// the current key tile, with their growing dQ; the weights and their gradients never leave the
// cache.

#include <ATen/Parallel.h>

#include <cmath>

#include "sequela/nn/kernels/attention_tiled.h"
#include "sequela/nn/kernels/scratch.h"
#include "sequela/nn/kernels/tile_gemm.h"

namespace sequela {
namespace {

constexpr int64_t kSquare = kAttentionTile * kAttentionTile;
constexpr int64_t kMinSegment = 16;

// A query tile while key tiles can reach it.
template <class Tile>
struct QueryTile {
  Scratch<Tile> q_rows, q_transposed, grad_rows, grad_transposed;  // right operands
  Scratch<float> grad_q;                                           // dQ transposed, [size][64]
  float logsumexp2[kAttentionTile], delta[kAttentionTile];
  int64_t first_keys[kAttentionTile], last_keys[kAttentionTile];
  int64_t tile = -1;  // which it is; -1 = none yet

  explicit QueryTile(int64_t values)
      : q_rows(values),
        q_transposed(values),
        grad_rows(values),
        grad_transposed(values),
        grad_q(values) {}
};

template <class In, class Tile>
struct BackwardTask {
  const AttentionInputs& inputs;
  const TilePlan& plan;
  const AttentionTileOps<In, Tile>& ops;
  const at::Tensor& out_THD;
  const at::Tensor& logsumexp_HT;
  const at::Tensor& grad_out_THD;
  const AttentionGradients& gradients;
};

template <class In, class Tile>
class BackwardWorker {
 public:
  explicit BackwardWorker(const BackwardTask<In, Tile>& task)
      : task_(task),
        plan_(task.plan),
        ops_(task.ops),
        rotary_(task.inputs),
        size_(task.inputs.q_THD.size(2)),
        tile_values_(kAttentionTile * size_),
        tile_(tile_values_),
        k_rows_(tile_values_),
        k_transposed_(tile_values_),
        v_rows_(tile_values_),
        scores_(kSquare),
        grad_weights_(kSquare),
        weights_(kSquare),
        grad_scores_(kSquare),
        packed_grad_scores_(kSquare),
        grad_k_(tile_values_),
        grad_v_(tile_values_),
        rows_(tile_values_) {
    for (int64_t i = 0; i < plan_.max_span; ++i) ring_.emplace_back(tile_values_);
  }

  // Writes the gradients of the tiles [begin, end). Key tiles outside are revisited for their share
  // of dQ, query tiles outside for their share of dK and dV.
  void run_segment(int64_t head, int64_t begin, int64_t end) {
    for (QueryTile<Tile>& query : ring_) query.tile = -1;
    int64_t first = 0;  // query tile that reaches key tile j
    for (int64_t j = plan_.first_key_tile[begin]; j <= plan_.last_key_tile[end - 1]; ++j) {
      while (plan_.last_key_tile[first] < j) ++first;
      const bool owns_keys = begin <= j && j < end;
      load_keys(head, j);
      bool is_first = true;
      for (int64_t b = owns_keys ? first : std::max(first, begin);
           b < (owns_keys ? plan_.num_tiles : end) && plan_.first_key_tile[b] <= j; ++b) {
        if (query_tile(b).tile != b) load_queries(head, b);
        const bool owns_queries = begin <= b && b < end;
        run_pair(j, b, owns_keys, owns_queries, is_first ? Sum::start : Sum::add);
        is_first = false;
        if (owns_queries && plan_.last_key_tile[b] == j) store_queries(head, b);
      }
      if (owns_keys) store_keys(head, j);
    }
  }

 private:
  QueryTile<Tile>& query_tile(int64_t b) { return ring_[b % plan_.max_span]; }

  void load_keys(int64_t head, int64_t tile) {
    const int64_t t = tile * kAttentionTile, rows = plan_.rows_of(tile);
    const HeadView<In> k(task_.inputs.k_THD, head), v(task_.inputs.v_THD, head);
    ops_.load_rows(k.row(t), k.stride, rows, size_, rotary_.rows(t), k_rows_.data());
    ops_.pack_transposed(k_rows_.data(), size_, tile_.data());
    ops_.unpack_transposed(tile_.data(), size_, k_transposed_.data());
    ops_.load_rows(v.row(t), v.stride, rows, size_, kNoRotation, v_rows_.data());
  }

  void load_queries(int64_t head, int64_t tile) {
    QueryTile<Tile>& query = query_tile(tile);
    query.tile = tile;
    const int64_t t = tile * kAttentionTile, rows = plan_.rows_of(tile);
    const HeadView<In> q(task_.inputs.q_THD, head), out(task_.out_THD, head),
        grad_out(task_.grad_out_THD, head);
    ops_.load_rows(q.row(t), q.stride, rows, size_, rotary_.rows(t), tile_.data());
    ops_.pack_rows(tile_.data(), size_, query.q_rows.data());
    ops_.pack_transposed(tile_.data(), size_, query.q_transposed.data());
    ops_.load_rows(grad_out.row(t), grad_out.stride, rows, size_, kNoRotation, tile_.data());
    ops_.pack_rows(tile_.data(), size_, query.grad_rows.data());
    ops_.pack_transposed(tile_.data(), size_, query.grad_transposed.data());
    ops_.dot_rows(out.row(t), out.stride, grad_out.row(t), grad_out.stride, rows, size_,
                  query.delta);
    const float* logsumexp =
        task_.logsumexp_HT.template const_data_ptr<float>() + head * plan_.num_tokens;
    for (int64_t r = 0; r < kAttentionTile; ++r) {
      const bool is_token = r < rows;
      query.logsumexp2[r] = is_token ? static_cast<float>(logsumexp[t + r] * M_LOG2E) : 0;
      query.first_keys[r] = is_token ? plan_.first_key(t + r) : plan_.num_tiles * kAttentionTile;
      query.last_keys[r] = is_token ? plan_.last_key(t + r) : plan_.num_tiles * kAttentionTile;
      if (!is_token) query.delta[r] = 0;
    }
  }

  ScorePair pair_of(int64_t key_tile, int64_t tile) {
    const QueryTile<Tile>& query = query_tile(tile);
    const int64_t base = key_tile * kAttentionTile;
    for (int64_t r = 0; r < kAttentionTile; ++r) {
      first_keys_[r] = static_cast<int32_t>(query.first_keys[r] - base);
      last_keys_[r] = static_cast<int32_t>(query.last_keys[r] - base);
    }
    const bool is_masked = query.first_keys[kAttentionTile - 1] > base ||
                           query.last_keys[0] < base + kAttentionTile - 1;
    const double scale = 1 / std::sqrt(static_cast<double>(size_));
    return {scores_.data(),
            grad_weights_.data(),
            query.logsumexp2,
            query.delta,
            first_keys_,
            last_keys_,
            is_masked,
            static_cast<float>(scale * M_LOG2E),
            static_cast<float>(scale)};
  }

  const Tile* grad_scores_as_right() {
    return std::is_same_v<Tile, float> ? grad_scores_.data() : packed_grad_scores_.data();
  }

  void run_pair(int64_t key_tile, int64_t tile, bool owns_keys, bool owns_queries, Sum sum) {
    QueryTile<Tile>& query = query_tile(tile);
    const TileShape to_scores = {kAttentionTile, kAttentionTile, size_,
                                 size_,          kAttentionTile, kAttentionTile};
    tile_gemm(to_scores, Sum::start, k_rows_.data(), query.q_transposed.data(), scores_.data());
    tile_gemm(to_scores, Sum::start, v_rows_.data(), query.grad_transposed.data(),
              grad_weights_.data());
    ops_.softmax_backward(pair_of(key_tile, tile), weights_.data(), grad_scores_.data(),
                          packed_grad_scores_.data());
    if (owns_keys) {
      const TileShape to_keys = {kAttentionTile, size_, kAttentionTile,
                                 kAttentionTile, size_, size_};
      tile_gemm(to_keys, sum, weights_.data(), query.grad_rows.data(), grad_v_.data());
      tile_gemm(to_keys, sum, grad_scores_.data(), query.q_rows.data(), grad_k_.data());
    }
    if (owns_queries) {
      const Sum query_sum = key_tile == plan_.first_key_tile[tile] ? Sum::start : Sum::add;
      tile_gemm(
          {size_, kAttentionTile, kAttentionTile, kAttentionTile, kAttentionTile, kAttentionTile},
          query_sum, k_transposed_.data(), grad_scores_as_right(), query.grad_q.data());
    }
  }

  void store_keys(int64_t head, int64_t tile) {
    const int64_t t = tile * kAttentionTile, rows = plan_.rows_of(tile);
    const HeadView<In> k(task_.gradients.k_THD, head), v(task_.gradients.v_THD, head);
    ops_.store_rows(grad_k_.data(), rows, size_, nullptr, rotary_.rows(t), k.row(t), k.stride);
    ops_.store_rows(grad_v_.data(), rows, size_, nullptr, kNoRotation, v.row(t), v.stride);
  }

  void store_queries(int64_t head, int64_t tile) {
    const int64_t t = tile * kAttentionTile;
    const HeadView<In> q(task_.gradients.q_THD, head);
    ops_.transpose(query_tile(tile).grad_q.data(), size_, rows_.data());
    ops_.store_rows(rows_.data(), plan_.rows_of(tile), size_, nullptr, rotary_.rows(t), q.row(t),
                    q.stride);
  }

  const BackwardTask<In, Tile>& task_;
  const TilePlan& plan_;
  const AttentionTileOps<In, Tile>& ops_;
  const RotaryTables rotary_;
  const int64_t size_, tile_values_;
  Scratch<Tile> tile_, k_rows_, k_transposed_, v_rows_;
  Scratch<float> scores_, grad_weights_;
  Scratch<Tile> weights_, grad_scores_, packed_grad_scores_;
  Scratch<float> grad_k_, grad_v_, rows_;
  std::vector<QueryTile<Tile>> ring_;
  int32_t first_keys_[kAttentionTile], last_keys_[kAttentionTile];
};

// Tiles of one task: whole heads when they keep the threads busy, since each cut costs a window of
// extra work.
int64_t segment_size(const TilePlan& plan, int64_t heads) {
  const int64_t threads = at::get_num_threads();
  if (heads >= 4 * threads) return plan.num_tiles;
  const int64_t segments = (4 * threads + heads - 1) / heads;
  return std::max(kMinSegment, (plan.num_tiles + segments - 1) / segments);
}

}  // namespace

template <class In, class Tile>
void tiled_attention_backward(const AttentionInputs& inputs, const AttentionTileOps<In, Tile>& ops,
                              const at::Tensor& out_THD, const at::Tensor& logsumexp_HT,
                              const at::Tensor& grad_out_THD, const AttentionGradients& gradients) {
  const TilePlan plan(inputs);
  const BackwardTask<In, Tile> task{inputs,       plan,         ops,      out_THD,
                                    logsumexp_HT, grad_out_THD, gradients};
  const int64_t size = std::max<int64_t>(1, segment_size(plan, inputs.q_THD.size(1)));
  const int64_t segments = (plan.num_tiles + size - 1) / size;
  at::parallel_for(0, segments * inputs.q_THD.size(1), 1, [&](int64_t begin, int64_t end) {
    BackwardWorker<In, Tile> worker(task);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % segments * size;
      worker.run_segment(i / segments, first, std::min(first + size, plan.num_tiles));
    }
    tile_gemm_done();
  });
}

template void tiled_attention_backward(const AttentionInputs&,
                                       const AttentionTileOps<float, float>&, const at::Tensor&,
                                       const at::Tensor&, const at::Tensor&,
                                       const AttentionGradients&);
template void tiled_attention_backward(const AttentionInputs&,
                                       const AttentionTileOps<uint16_t, float>&, const at::Tensor&,
                                       const at::Tensor&, const at::Tensor&,
                                       const AttentionGradients&);
template void tiled_attention_backward(const AttentionInputs&,
                                       const AttentionTileOps<uint16_t, uint16_t>&,
                                       const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                       const AttentionGradients&);

}  // namespace sequela
