#pragma once

#include <string>

namespace sequela {

// The one place that knows what the CPU has and what the libraries below accept of it. Whatever
// asks something of the CPU (own kernels, oneDNN, its small products in torch) asks here first.

// Instruction sets that the CPU kernels are written for. Each kernel falls back to the next lower
// set for which it has a version; `portable` is the plain reference, for any CPU. `avx2_vnni` is
// AVX2 with AVX-VNNI's products of bytes, which CPUs with AVX-512 may lack.
enum class Isa { portable, avx2, avx2_vnni, avx512, avx512_bf16 };

// Whether this CPU has a set. avx512_bf16 needs a torch whose small bfloat16 products run, too
// (tried once).
bool has_isa(Isa isa);

// The best set of this CPU.
Isa best_isa();

// The set in use: best_isa(), or what the environment's SEQUELA_ISA names, until set_kernel_isa
// changes it. ConfigError if SEQUELA_ISA names no set of this CPU.
Isa kernel_isa();

// Forces a set, for tests and comparisons. Throws std::invalid_argument if this CPU lacks it. Not
// for use while kernels run.
void set_kernel_isa(Isa isa);

// The version for the set in use; not for Isa::portable.
template <class Kernels>
const Kernels& kernels_in_use(const Kernels& avx2, const Kernels& avx512,
                              const Kernels& avx512_bf16) {
  if (kernel_isa() == Isa::avx512_bf16) return avx512_bf16;
  return kernel_isa() == Isa::avx512 ? avx512 : avx2;
}

// "avx2", the name that SEQUELA_ISA takes.
std::string to_text(Isa isa);
// Throws ConfigError for a name of no set.
Isa to_isa(const std::string& text);

// Whether the set in use has products of bfloat16 (avx512_bf16 or AMX), which are faster than
// float32 ones. Without them bfloat16 is storage: products are computed in float32 (nn/gemm.h).
bool has_bf16_products();

// Whether oneDNN takes matrix products in torch's own memory, float32 ones too. It asks for
// AVX-512 or AVX_NE_CONVERT; elsewhere torch's BLAS does them.
bool has_onednn_products();

// How products of bytes are computed with the set in use; their sums are the same.
enum class Int8Products { portable, avx2, avx2_vnni, onednn };
Int8Products int8_products();
std::string to_text(Int8Products products);

// "AMD EPYC 7763 64-Core Processor", as the system names it.
std::string cpu_name();

}  // namespace sequela
