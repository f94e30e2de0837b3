#pragma once

#include <cstdint>

namespace sequela {

// Products of rows of bytes with packed weights, for Int8Linear (nn/int8_linear.h).
//
//   I = inputs, padded with 0 to a multiple of 4
//
// A row of x is q in [-127, 127], stored in one of two ways:
//   offset      q + 128, I bytes: for instructions that multiply unsigned by signed bytes
//   magnitudes  |q|, I bytes, then q, I bytes: AVX2's products of bytes add pairs in 16 bits, which
//               |q| <= 127 cannot overflow (127 * 127 * 2 < 2^15) and q + 128 could
enum class Int8Format { offset, magnitudes };

constexpr int64_t kInt8Panel = 16;  // columns of a panel of packed weights: [I / 4][16][4] bytes

struct Int8Rows {
  const uint8_t* bytes;
  int64_t stride;       // bytes
  const float* scales;  // one per row: x = q * scale
  int64_t num_rows;
  int64_t inputs;  // padded
};

// Up to kInt8Panel outputs.
struct Int8Columns {
  const int8_t* packed;  // a whole panel, padded with 0
  const float* scales;
  const int32_t* offsets;  // what the format adds to a sum: 128 * the weights' sum, or 0
  const float* biases;
  int64_t num_columns;
};

// out[row][column] = (sum - offset) * row's scale * column's scale + bias
using Int8Product = void (*)(const Int8Rows& rows, const Int8Columns& columns, float* out,
                             int64_t out_stride);

extern const Int8Product kInt8ProductReference;  // offset
extern const Int8Product kInt8ProductAvx2;       // magnitudes
extern const Int8Product kInt8ProductAvx2Vnni;   // offset

struct Int8RowOps {
  // One row of `count` values to bytes of a format, `inputs` of them with padding; returns its
  // scale, NaN if a value is not finite.
  float (*quantize)(const float* x, int64_t count, int64_t inputs, Int8Format format,
                    uint8_t* bytes);
  // One row of out from its sums, as Int8Product.
  void (*finish)(const int32_t* sums, float row_scale, const Int8Columns& columns, float* out);
};

extern const Int8RowOps kInt8RowsReference;
extern const Int8RowOps kInt8RowsAvx2;
extern const Int8RowOps kInt8RowsAvx512;
extern const Int8RowOps kInt8RowsAvx512Bf16;

}  // namespace sequela
