#pragma once

#include <cstdint>

namespace sequela {

// Products of rows of bytes with packed weights, for Int8Linear (nn/int8_linear.h).
//
//   I = inputs, padded with 0 to a multiple of 4
//
// A row of x is q in [-127, 127], stored in one of two ways:
//   offset      q + 128, I bytes: for instructions that multiply unsigned by signed bytes
//   magnitudes  |q|, I bytes, then m = 0 or, where q < 0, 255, I bytes: AVX2's products of bytes
//               add pairs in 16 bits, which q + 128 could overflow and |q| <= 127 cannot
//               (127 * 128 * 2 < 2^15). As -w = (w ^ m) + 1, the sum of |q| (w ^ m) is that of q w
//               less the sum of |q| where q < 0: an offset that a row has, whatever the weights.
//               An exclusive or runs on more of a CPU's ports than the instruction that takes
//               signs.
enum class Int8Format { offset, magnitudes };

// What turns a row's sums into values.
struct Int8RowScale {
  float scale;     // x = q * scale; NaN if a value is not finite
  int32_t offset;  // what the format adds to each sum
};

constexpr int64_t kInt8Panel = 16;  // columns of a panel of packed weights: [I / 4][16][4] bytes

struct Int8Rows {
  const uint8_t* bytes;
  int64_t stride;              // bytes
  const Int8RowScale* scales;  // one per row
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

// out[row][column] = (sum - row's offset - column's offset) * row's scale * column's scale + bias
using Int8Product = void (*)(const Int8Rows& rows, const Int8Columns& columns, float* out,
                             int64_t out_stride);

extern const Int8Product kInt8ProductReference;  // offset
extern const Int8Product kInt8ProductAvx2;       // magnitudes
extern const Int8Product kInt8ProductAvx2Vnni;   // offset

struct Int8RowOps {
  // One row of `count` values to bytes of a format, `inputs` of them with padding.
  Int8RowScale (*quantize)(const float* x, int64_t count, int64_t inputs, Int8Format format,
                           uint8_t* bytes);
  // One row of out from its sums, as Int8Product.
  void (*finish)(const int32_t* sums, Int8RowScale row, const Int8Columns& columns, float* out);
};

extern const Int8RowOps kInt8RowsReference;
extern const Int8RowOps kInt8RowsAvx2;
extern const Int8RowOps kInt8RowsAvx512;
extern const Int8RowOps kInt8RowsAvx512Bf16;

}  // namespace sequela
