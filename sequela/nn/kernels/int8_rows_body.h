#pragma once

// Bodies of Int8RowOps; included by the files of one instruction set only (see simd.h).

#include "sequela/nn/kernels/int8_kernels.h"
#include "sequela/nn/kernels/simd.h"

namespace sequela {
namespace {

using Bytes = uint8_t __attribute__((vector_size(16)));

SEQUELA_INLINE void store_bytes(uint8_t* to, Ints values, int64_t count) {
  const Bytes bytes = __builtin_convertvector(narrowed(as_words(values)), Bytes);
  std::memcpy(to, &bytes, count);
}

SEQUELA_INLINE Ints load_part_of_ints(const int32_t* from, int64_t count) {
  int32_t buffer[kLanes] = {};
  std::memcpy(buffer, from, count * sizeof(int32_t));
  return load_lanes<Ints>(buffer);
}

SEQUELA_INLINE int32_t sum(Ints values) {
  int32_t lanes[kLanes], total = 0;
  std::memcpy(lanes, &values, sizeof(lanes));
  for (const int32_t lane : lanes) total += lane;
  return total;
}

// The largest magnitude of a row; NaN if a value is not finite.
float largest_magnitude(const float* x, int64_t count) {
  Floats top = {}, faults = {};
  const auto look_at = [&](Floats values) {
    top = max(top, max(values, -values));
    faults += values - values;  // 0, or NaN
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) look_at(load(x + i));
  if (i < count) look_at(load_part(x + i, count - i));
  return largest(top) + sum(faults);
}

Int8RowScale quantize(const float* x, int64_t count, int64_t inputs, Int8Format format,
                      uint8_t* bytes) {
  const bool has_magnitudes = format == Int8Format::magnitudes;
  const float top = largest_magnitude(x, count);
  std::memset(bytes, 0, inputs * (has_magnitudes ? 2 : 1));
  if (top != top) return {top, 0};
  const float inverse = top > 0 ? 127 / top : 0;
  Ints negative = {};
  const auto put = [&](int64_t i, Floats values, int64_t lanes) {
    const Ints shifted = to_ints(values * inverse + 128.5f);
    if (!has_magnitudes) return store_bytes(bytes + i, shifted, lanes);
    const Ints q = shifted - 128, mask = q >> 31;
    store_bytes(bytes + i, (q ^ mask) - mask, lanes);  // |q|
    store_bytes(bytes + inputs + i, mask, lanes);
    negative += q & mask;
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) put(i, load(x + i), kLanes);
  if (i < count) put(i, load_part(x + i, count - i), count - i);
  return {top / 127, sum(negative)};
}

void finish(const int32_t* sums, Int8RowScale row, const Int8Columns& columns, float* out) {
  const auto value = [&](Ints sum, Ints offset, Floats scale, Floats bias) {
    return to_floats(sum - row.offset - offset) * row.scale * scale + bias;
  };
  int64_t c = 0;
  for (; c + kLanes <= columns.num_columns; c += kLanes) {
    store(out + c, value(load_lanes<Ints>(sums + c), load_lanes<Ints>(columns.offsets + c),
                         load(columns.scales + c), load(columns.biases + c)));
  }
  if (c == columns.num_columns) return;
  const int64_t left = columns.num_columns - c;
  store_part(out + c,
             value(load_part_of_ints(sums + c, left), load_part_of_ints(columns.offsets + c, left),
                   load_part(columns.scales + c, left), load_part(columns.biases + c, left)),
             left);
}

constexpr Int8RowOps kInt8Rows = {quantize, finish};

}  // namespace
}  // namespace sequela
