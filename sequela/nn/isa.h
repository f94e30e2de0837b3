#pragma once

#include <string>

namespace sequela {

// Instruction sets that the CPU kernels are written for, in ascending order. Each kernel falls back
// to the next lower set for which it has a version; `portable` is the plain reference, for any CPU.
enum class Isa { portable, avx2, avx512, avx512_bf16 };

// The best set of this CPU, found once.
Isa best_isa();

// The set in use: best_isa() unless set_kernel_isa lowered it.
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

std::string to_text(Isa isa);

// Whether bfloat16 products are faster than float32 ones on this CPU (avx512_bf16 or AMX). Without
// it bf16 falls to a fraction of the float32 rate, so the caller should choose float32.
bool is_bf16_fast();

}  // namespace sequela
