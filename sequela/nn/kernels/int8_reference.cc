#include <algorithm>
#include <cmath>
#include <limits>

#include "sequela/nn/kernels/int8_kernels.h"

namespace sequela {
namespace {

Int8RowScale quantize(const float* x, int64_t count, int64_t inputs, Int8Format format,
                      uint8_t* bytes) {
  float largest = 0;
  bool is_finite = true;
  for (int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(x[i]));
    is_finite = is_finite && std::isfinite(x[i]);
  }
  const bool has_magnitudes = format == Int8Format::magnitudes;
  std::fill(bytes, bytes + inputs * (has_magnitudes ? 2 : 1), uint8_t{0});
  if (!is_finite) return {std::numeric_limits<float>::quiet_NaN(), 0};
  const float inverse = largest > 0 ? 127 / largest : 0;
  int32_t offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t value = static_cast<int32_t>(x[i] * inverse + 128.5F) - 128;
    bytes[i] = static_cast<uint8_t>(has_magnitudes ? std::abs(value) : value + 128);
    if (has_magnitudes && value < 0) {
      bytes[inputs + i] = 255;
      offset += value;
    }
  }
  return {largest / 127, offset};
}

void finish(const int32_t* sums, Int8RowScale row, const Int8Columns& columns, float* out) {
  for (int64_t c = 0; c < columns.num_columns; ++c) {
    const int32_t sum = sums[c] - row.offset - columns.offsets[c];
    out[c] = static_cast<float>(sum) * row.scale * columns.scales[c] + columns.biases[c];
  }
}

void multiply(const Int8Rows& rows, const Int8Columns& columns, float* out, int64_t out_stride) {
  for (int64_t r = 0; r < rows.num_rows; ++r) {
    const uint8_t* x = rows.bytes + r * rows.stride;
    int32_t sums[kInt8Panel] = {};
    for (int64_t i = 0; i < rows.inputs; i += 4) {
      const int8_t* weights = columns.packed + i * kInt8Panel;
      for (int64_t c = 0; c < kInt8Panel; ++c) {
        for (int64_t k = 0; k < 4; ++k) sums[c] += x[i + k] * weights[4 * c + k];
      }
    }
    finish(sums, rows.scales[r], columns, out + r * out_stride);
  }
}

}  // namespace

const Int8Product kInt8ProductReference = multiply;
const Int8RowOps kInt8RowsReference = {quantize, finish};

}  // namespace sequela
