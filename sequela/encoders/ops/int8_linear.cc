#include "sequela/encoders/ops/int8_linear.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "sequela/encoders/ops/differentiable_ops.h"

namespace sequela {
namespace {

constexpr int64_t kTile = 64;         // rows and columns of a product's tile
constexpr int64_t kRowsOfTask = 512;  // rows that one task multiplies by 64 columns of weights

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// One row to bytes; returns its scale.
float quantize_row(const float* x, int64_t inputs, uint8_t* out) {
  float largest = 0;
  for (int64_t i = 0; i < inputs; ++i) largest = std::max(largest, std::abs(x[i]));
  const float scale = largest / 127, inverse = largest > 0 ? 127 / largest : 0;
  for (int64_t i = 0; i < inputs; ++i) {
    out[i] = static_cast<uint8_t>(static_cast<int32_t>(x[i] * inverse + 128.5F));
  }
  return scale;
}

}  // namespace

Int8Linear::Int8Linear(const at::Tensor& weight_OI, const at::Tensor& bias_O)
    : inputs_(weight_OI.size(1)),
      outputs_(weight_OI.size(0)),
      padded_inputs_(round_up(inputs_, 4)) {
  const int64_t padded_outputs = round_up(outputs_, kTile);
  const at::Tensor scale =
      weight_OI.detach().to(at::kFloat).abs().amax(1).div(127).clamp_min(1e-30);
  at::Tensor rounded = at::zeros({padded_outputs, padded_inputs_}, at::kChar);
  rounded.narrow(0, 0, outputs_)
      .narrow(1, 0, inputs_)
      .copy_(weight_OI.detach().to(at::kFloat).div(scale.unsqueeze(1)).round());
  packed_ = rounded.view({padded_outputs / kTile, kTile, padded_inputs_ / 4, 4})
                .transpose(1, 2)
                .contiguous();
  scale_ = at::zeros({padded_outputs}, at::kFloat);
  scale_.narrow(0, 0, outputs_).copy_(scale);
  bias_ = at::zeros({padded_outputs}, at::kFloat);
  bias_.narrow(0, 0, outputs_).copy_(bias_O.detach());
  offset_ = rounded.sum(1, false, at::kInt).mul(128);
}

at::Tensor Int8Linear::forward(const at::Tensor& x_TI,
                               std::optional<BertActivation> activation) const {
  const at::Tensor x = x_TI.contiguous();
  const int64_t rows = x.size(0), padded_rows = round_up(rows, kTile);
  at::Tensor bytes = at::empty({padded_rows, padded_inputs_}, at::kByte);
  at::Tensor row_scale = at::empty({padded_rows}, at::kFloat);
  uint8_t* bytes_data = bytes.mutable_data_ptr<uint8_t>();
  float* row_scale_data = row_scale.mutable_data_ptr<float>();
  const float* x_data = x.const_data_ptr<float>();
  at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      uint8_t* out = bytes_data + row * padded_inputs_;
      row_scale_data[row] = quantize_row(x_data + row * inputs_, inputs_, out);
      std::fill(out + inputs_, out + padded_inputs_, uint8_t{0});
    }
  });

  at::Tensor result = at::empty({rows, outputs_}, at::kFloat);
  float* out = result.mutable_data_ptr<float>();
  const int8_t* packed = packed_.const_data_ptr<int8_t>();
  const float *scale = scale_.const_data_ptr<float>(), *bias = bias_.const_data_ptr<float>();
  const int32_t* offset = offset_.const_data_ptr<int32_t>();
  const int64_t column_tiles = packed_.size(0);
  const int64_t row_tasks = (rows + kRowsOfTask - 1) / kRowsOfTask;
  at::parallel_for(0, row_tasks * column_tiles, 1, [&](int64_t begin, int64_t end) {
    alignas(64) int32_t sums[kTile * kTile];
    for (int64_t task = begin; task < end; ++task) {
      const int64_t column = task % column_tiles * kTile;
      const int64_t first_row = task / column_tiles * kRowsOfTask;
      const int64_t last_row = std::min(rows, first_row + kRowsOfTask);
      const int64_t width = std::min(kTile, outputs_ - column);
      for (int64_t row = first_row; row < last_row; row += kTile) {
        at::native::cpublas::brgemm(kTile, kTile, padded_inputs_, padded_inputs_, kTile, kTile,
                                    /*add_C=*/false, bytes_data + row * padded_inputs_,
                                    packed + column * padded_inputs_, sums);
        for (int64_t r = 0; r < std::min(kTile, rows - row); ++r) {
          float* out_row = out + (row + r) * outputs_ + column;
          const float x_scale = row_scale_data[row + r];
          for (int64_t c = 0; c < width; ++c) {
            out_row[c] = static_cast<float>(sums[r * kTile + c] - offset[column + c]) * x_scale *
                             scale[column + c] +
                         bias[column + c];
          }
        }
      }
    }
    at::native::cpublas::brgemm_release();
  });
  if (!activation) return result;
  return *activation == BertActivation::gelu ? at::gelu_(result) : activate(result, *activation);
}

}  // namespace sequela
