#include "sequela/nn/kernels/int8_product_body.h"

namespace sequela {
namespace {

// Int8Format::offset: AVX-VNNI adds four products of unsigned and signed bytes to 32 bits exactly.
struct VnniDot {
  const __m256i bytes;

  SEQUELA_INLINE VnniDot(const uint8_t* x, int64_t) : bytes(four_bytes(x)) {}

  SEQUELA_INLINE __m256i add(__m256i sum, __m256i weights) const {
    return _mm256_dpbusd_avx_epi32(sum, bytes, weights);
  }
};

}  // namespace

const Int8Product kInt8ProductAvx2Vnni = multiply_bytes<VnniDot>;

}  // namespace sequela
