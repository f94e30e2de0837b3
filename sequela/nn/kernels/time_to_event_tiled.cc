// The fused loss by chunks of 1,024 rows: tiles of 64 x 64 logits become gradients while in cache;
// the two products with the gradients are whole matrix products per chunk. The last chunk is filled
// up with rows of zeros, so that these products have few shapes (gemm.h).

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "sequela/nn/gemm.h"
#include "sequela/nn/kernels/scratch.h"
#include "sequela/nn/kernels/tile_gemm.h"
#include "sequela/nn/kernels/time_to_event_rows.h"
#include "sequela/nn/kernels/time_to_event_tile.h"

namespace sequela {
namespace {

constexpr int64_t kTile = TimeToEventRows::kTile;
constexpr int64_t kChunkRows = 1024;

template <class Tile>
class TiledLoss {
 public:
  TiledLoss(const TimeToEventCall& call, const TimeToEventOps<Tile>& ops)
      : call_(call),
        ops_(ops),
        rows_(call),
        features_(call.z_LKF.size(2)),
        num_tasks_(call.head.weight_CF.size(0)),
        num_task_tiles_((num_tasks_ + kTile - 1) / kTile),
        num_cells_(static_cast<double>(call.z_LKF.size(0)) * call.z_LKF.size(1) * num_tasks_),
        z_RF_(at::zeros({kChunkRows, features_}, call.z_LKF.options())),
        packed_weight_(num_task_tiles_ * kTile * features_) {
    pack_weight();
    at::Tensor bias = call.head.bias_C.unsqueeze(0).expand({call.z_LKF.size(1), -1});
    if (call.head.time_bias_KC.defined()) bias = bias + call.head.time_bias_KC;
    bias_KP_ = at::zeros({call.z_LKF.size(1), num_task_tiles_ * kTile});
    bias_KP_.narrow(1, 0, num_tasks_).copy_(bias);
    if (!call.gradient_scale) return;
    bias_gradients_KP_ = at::zeros_like(bias_KP_);
    gradients_RP_ = at::empty({kChunkRows, num_task_tiles_ * kTile}, call.z_LKF.options());
    weight_part_CF_ = at::empty({num_tasks_, features_}, call.z_LKF.options());
  }

  double run() {
    if (call_.gradient_scale) at::Tensor(call_.gradients.z_LKF).zero_();
    const int64_t num_rows = rows_.kept().size();
    double loss = 0;
    for (int64_t first = 0; first < num_rows; first += kChunkRows) {
      const int64_t count = std::min(kChunkRows, num_rows - first);
      const at::Tensor ids =
          at::from_blob(const_cast<int64_t*>(rows_.kept().data()) + first, {count}, at::kLong);
      loss += run_chunk(first, count, ids);
      if (call_.gradient_scale) {
        fill_up(count);
        add_products(count, ids);
      }
    }
    if (call_.gradient_scale) add_bias_gradients();
    return loss;
  }

 private:
  void pack_weight() {
    at::parallel_for(0, num_task_tiles_, 1, [&](int64_t begin, int64_t end) {
      Scratch<Tile> padded(kTile * features_);
      const Tile* weight = static_cast<const Tile*>(call_.head.weight_CF.const_data_ptr());
      const int64_t stride = call_.head.weight_CF.stride(0);
      for (int64_t tile = begin; tile < end; ++tile) {
        std::fill_n(padded.data(), kTile * features_, Tile{});
        for (int64_t r = 0; r < std::min(kTile, num_tasks_ - tile * kTile); ++r) {
          std::copy_n(weight + (tile * kTile + r) * stride, features_, padded + r * features_);
        }
        ops_.pack_transposed(padded.data(), features_, packed_weight_ + tile * kTile * features_);
      }
    });
  }

  // Loss and gradients of the logits of the kept rows [first, first + count).
  double run_chunk(int64_t first, int64_t count, const at::Tensor& ids) {
    at::Tensor z_RF = z_RF_.narrow(0, 0, count);
    at::index_select_out(z_RF, call_.z_LKF.flatten(0, 1), 0, ids);
    std::vector<double> losses(num_task_tiles_, 0.0);
    at::parallel_for(0, num_task_tiles_, 1, [&](int64_t begin, int64_t end) {
      Scratch<float> logits(kTile * kTile), risk(kTile * kTile);
      for (int64_t tile = begin; tile < end; ++tile) {
        for (int64_t r = 0; r < count; r += kTile) {
          const int64_t num_rows = std::min(kTile, count - r);
          tile_gemm({kTile, kTile, features_, features_, kTile, kTile}, Sum::start,
                    static_cast<const Tile*>(z_RF_.const_data_ptr()) + r * features_,
                    packed_weight_ + tile * kTile * features_, logits.data());
          rows_.fill_risk(first + r, num_rows, tile, risk.data());
          losses[tile] += run_tile(first + r, r, num_rows, tile, logits.data(), risk.data());
        }
      }
      tile_gemm_done();
    });
    double loss = 0;
    for (double part : losses) loss += part;
    return loss;
  }

  double run_tile(int64_t row, int64_t chunk_row, int64_t num_rows, int64_t task_tile,
                  const float* logits, const float* risk) {
    const int64_t column = task_tile * kTile, stride = num_task_tiles_ * kTile;
    LossTile tile{
        num_rows, logits, risk, rows_.bins(row), bias_KP_.const_data_ptr<float>() + column,
        nullptr,  stride, 0};
    LossParts parts;
    if (call_.gradient_scale) {
      tile.bias_gradients = bias_gradients_KP_.data_ptr<float>() + column;
      tile.gradient_scale = static_cast<float>(M_LN2 * *call_.gradient_scale / num_cells_);
      Tile* gradients = static_cast<Tile*>(gradients_RP_.data_ptr()) + chunk_row * stride + column;
      parts = ops_.loss_and_gradient(tile, gradients, stride);
    } else if (call_.cost_C != nullptr) {
      alignas(64) float costs[kTile] = {};
      parts = ops_.loss_by_task(tile, costs);
      for (int64_t c = 0; c < std::min(kTile, num_tasks_ - column); ++c)
        call_.cost_C[column + c] += costs[c];
    } else {
      parts = ops_.loss(tile);
    }
    return (parts.survival - M_LN2 * parts.event) / num_cells_;
  }

  // Zeros behind the chunk's rows, up to the rows of a product.
  void fill_up(int64_t count) {
    const int64_t filling = padded_rows(count) - count;
    z_RF_.narrow(0, count, filling).zero_();
    gradients_RP_.narrow(0, count, filling).zero_();
  }

  void add_products(int64_t count, const at::Tensor& ids) {
    const int64_t rows = padded_rows(count);
    const at::Tensor gradients_RC = gradients_RP_.narrow(0, 0, rows).narrow(1, 0, num_tasks_);
    const at::Tensor z_RF = z_RF_.narrow(0, 0, rows);
    multiply(gradients_RC.t(), z_RF, weight_part_CF_);
    at::Tensor(call_.gradients.weight_CF).add_(weight_part_CF_);
    multiply(gradients_RC, call_.head.weight_CF, z_RF);  // this chunk's z is no longer needed
    call_.gradients.z_LKF.view({-1, features_}).index_copy_(0, ids, z_RF.narrow(0, 0, count));
  }

  void add_bias_gradients() {
    const at::Tensor gradients_KC = bias_gradients_KP_.narrow(1, 0, num_tasks_);
    call_.gradients.bias_C.add_(gradients_KC.sum(0));
    if (call_.head.time_bias_KC.defined()) call_.gradients.time_bias_KC.add_(gradients_KC);
  }

  const TimeToEventCall& call_;
  const TimeToEventOps<Tile>& ops_;
  const TimeToEventRows rows_;
  const int64_t features_, num_tasks_, num_task_tiles_;
  const double num_cells_;
  at::Tensor z_RF_;  // R = rows of a chunk
  Scratch<Tile> packed_weight_;
  at::Tensor bias_KP_, bias_gradients_KP_;  // P = tasks, padded to whole tiles
  at::Tensor gradients_RP_, weight_part_CF_;
};

}  // namespace

template <class Tile>
double time_to_event_tiled(const TimeToEventCall& call, const TimeToEventOps<Tile>& ops) {
  return TiledLoss<Tile>(call, ops).run();
}

template double time_to_event_tiled(const TimeToEventCall&, const TimeToEventOps<float>&);
template double time_to_event_tiled(const TimeToEventCall&, const TimeToEventOps<uint16_t>&);

}  // namespace sequela
