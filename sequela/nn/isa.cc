#include "sequela/nn/isa.h"

#include <atomic>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/nn/kernels/tile_gemm.h"

namespace sequela {
namespace {

Isa find_best_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (has_avx512 && __builtin_cpu_supports("avx512bf16") && has_bf16_tile_gemm())
    return Isa::avx512_bf16;
  if (has_avx512) return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::portable;
}

std::atomic<Isa>& isa_in_use() {
  static std::atomic<Isa> isa{best_isa()};
  return isa;
}

}  // namespace

Isa best_isa() {
  static const Isa isa = find_best_isa();
  return isa;
}

Isa kernel_isa() {
  return isa_in_use().load(std::memory_order_relaxed);
}

void set_kernel_isa(Isa isa) {
  if (isa > best_isa()) {
    throw std::invalid_argument(
        str("this CPU has no ", to_text(isa), "; its best is ", to_text(best_isa())));
  }
  isa_in_use() = isa;
}

std::string to_text(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return "portable";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_bf16:
      return "avx512_bf16";
  }
  return "unknown";
}

bool is_bf16_fast() {
  return kernel_isa() == Isa::avx512_bf16;
}

}  // namespace sequela
