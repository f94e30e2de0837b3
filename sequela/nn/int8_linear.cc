#include "sequela/nn/int8_linear.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sequela/nn/kernels/check.h"
#include "sequela/nn/kernels/int8_kernels.h"
#include "sequela/nn/kernels/scratch.h"
#include "sequela/nn/kernels/tile_gemm.h"

namespace sequela {
namespace {

constexpr int64_t kTile = 64;  // rows and columns of oneDNN's tile

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

int64_t panel_of(Int8Products products) {
  return products == Int8Products::onednn ? kTile : kInt8Panel;
}

// Rows that one task multiplies by one panel of weights. Own kernels read them again for every
// panel: they must stay in the second cache.
int64_t rows_of_task(Int8Products products) {
  return products == Int8Products::onednn ? 512 : 64;
}

Int8Format format_of(Int8Products products) {
  return products == Int8Products::avx2 ? Int8Format::magnitudes : Int8Format::offset;
}

const Int8RowOps& int8_row_ops_in_use() {
  if (kernel_isa() == Isa::portable) return kInt8RowsReference;
  return kernels_in_use(kInt8RowsAvx2, kInt8RowsAvx512, kInt8RowsAvx512Bf16);
}

// A panel of weights against rows, by oneDNN.
void multiply_by_tiles(const Int8Rows& rows, const Int8Columns& columns, float* out,
                       int64_t out_stride) {
  const Int8RowOps& ops = int8_row_ops_in_use();
  Scratch<int32_t> sums(kTile * kTile);
  for (int64_t row = 0; row < rows.num_rows; row += kTile) {
    tile_gemm({kTile, kTile, rows.inputs, rows.stride, kTile, kTile}, Sum::start,
              rows.bytes + row * rows.stride, columns.packed, sums.data());
    for (int64_t r = 0; r < std::min(kTile, rows.num_rows - row); ++r) {
      ops.finish(sums + r * kTile, rows.scales[row + r], columns, out + (row + r) * out_stride);
    }
  }
  tile_gemm_done();
}

Int8Product product_of(Int8Products products) {
  switch (products) {
    case Int8Products::avx2:
      return kInt8ProductAvx2;
    case Int8Products::avx2_vnni:
      return kInt8ProductAvx2Vnni;
    case Int8Products::onednn:
      return multiply_by_tiles;
    case Int8Products::portable:
      return kInt8ProductReference;
  }
  return kInt8ProductReference;
}

}  // namespace

// Rows of x as bytes; whole tiles of them, so that a product may read past the last.
struct Int8Linear::Quantized {
  at::Tensor bytes;
  std::vector<Int8RowScale> scales;

  Int8Rows rows(int64_t first, int64_t count, int64_t inputs) const {
    return {bytes.const_data_ptr<uint8_t>() + first * bytes.size(1), bytes.size(1),
            scales.data() + first, count, inputs};
  }
};

Int8Linear::Int8Linear(const at::Tensor& weight_OI, const at::Tensor& bias_O)
    : products_(int8_products()),
      inputs_(weight_OI.size(1)),
      outputs_(weight_OI.size(0)),
      padded_inputs_(round_up(inputs_, 4)) {
  const int64_t panel = panel_of(products_), padded_outputs = round_up(outputs_, panel);
  const at::Tensor weight = weight_OI.detach().to(at::kFloat);
  const at::Tensor scale = weight.abs().amax(1).div(127).clamp_min(1e-30);
  at::Tensor rounded = at::zeros({padded_outputs, padded_inputs_}, at::kChar);
  rounded.narrow(0, 0, outputs_)
      .narrow(1, 0, inputs_)
      .copy_(weight.div(scale.unsqueeze(1)).round());
  packed_ = rounded.view({padded_outputs / panel, panel, padded_inputs_ / 4, 4})
                .transpose(1, 2)
                .contiguous();
  scales_ = at::zeros({padded_outputs}, at::kFloat);
  scales_.narrow(0, 0, outputs_).copy_(scale);
  biases_ = at::zeros({padded_outputs}, at::kFloat);
  biases_.narrow(0, 0, outputs_).copy_(bias_O.detach());
  const int offset = format_of(products_) == Int8Format::offset ? 128 : 0;
  offsets_ = rounded.sum(1, false, at::kInt).mul(offset);
}

Int8Linear::Quantized Int8Linear::quantize(const at::Tensor& x_TI) const {
  const Int8Format format = format_of(products_);
  const int64_t rows = x_TI.size(0), padded_rows = round_up(rows, kTile);
  const int64_t width = padded_inputs_ * (format == Int8Format::magnitudes ? 2 : 1);
  Quantized quantized{at::empty({padded_rows, width}, at::kByte),
                      std::vector<Int8RowScale>(padded_rows)};
  uint8_t* bytes = quantized.bytes.mutable_data_ptr<uint8_t>();
  const float* x = x_TI.const_data_ptr<float>();
  const Int8RowOps& ops = int8_row_ops_in_use();
  at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      quantized.scales[row] = ops.quantize(x + row * x_TI.stride(0), inputs_, padded_inputs_,
                                           format, bytes + row * width);
    }
  });
  return quantized;
}

at::Tensor Int8Linear::forward(const at::Tensor& x_TI) const {
  check_tensor("x_TI", x_TI, {-1, inputs_}, {at::kFloat});
  const Quantized quantized = quantize(x_TI);
  const int64_t rows = x_TI.size(0), panel = panel_of(products_);
  at::Tensor result = at::empty({rows, outputs_}, at::kFloat);
  float* out = result.mutable_data_ptr<float>();
  const Int8Product product = product_of(products_);
  const int64_t num_panels = packed_.size(0);
  const int64_t task_rows = rows_of_task(products_);
  const int64_t row_tasks = (rows + task_rows - 1) / task_rows;
  at::parallel_for(0, row_tasks * num_panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t column = task % num_panels * panel;
      const int64_t row = task / num_panels * task_rows;
      const Int8Columns columns{
          packed_.const_data_ptr<int8_t>() + column * padded_inputs_,
          scales_.const_data_ptr<float>() + column, offsets_.const_data_ptr<int32_t>() + column,
          biases_.const_data_ptr<float>() + column, std::min(panel, outputs_ - column)};
      product(quantized.rows(row, std::min(task_rows, rows - row), padded_inputs_), columns,
              out + row * outputs_ + column, outputs_);
    }
  });
  return result;
}

}  // namespace sequela
