#include "sequela/nn/kernels/int8_product_body.h"

namespace sequela {
namespace {

// Int8Format::magnitudes: |q| times (weight ^ q's mask), pairs in 16 bits, fours in 32.
struct MagnitudeDot {
  const __m256i magnitudes, masks;

  SEQUELA_INLINE MagnitudeDot(const uint8_t* x, int64_t inputs)
      : magnitudes(four_bytes(x)), masks(four_bytes(x + inputs)) {}

  SEQUELA_INLINE __m256i add(__m256i sum, __m256i weights) const {
    const __m256i pairs = _mm256_maddubs_epi16(magnitudes, _mm256_xor_si256(weights, masks));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace

const Int8Product kInt8ProductAvx2 = multiply_bytes<MagnitudeDot>;

}  // namespace sequela
