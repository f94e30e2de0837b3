#include "sequela/nn/isa.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/nn/kernels/tile_gemm.h"

namespace sequela {
namespace {

constexpr Isa kIsas[] = {Isa::portable, Isa::avx2, Isa::avx2_vnni, Isa::avx512, Isa::avx512_bf16};

bool has_instructions(Isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                        __builtin_cpu_supports("f16c");
  const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  switch (isa) {
    case Isa::portable:
      return true;
    case Isa::avx2:
      return has_avx2;
    case Isa::avx2_vnni:
      return has_avx2 && __builtin_cpu_supports("avxvnni");
    case Isa::avx512:
      return has_avx512;
    case Isa::avx512_bf16:
      return has_avx512 && __builtin_cpu_supports("avx512bf16");
  }
#endif
  return isa == Isa::portable;
}

Isa first_isa() {
  const char* name = std::getenv("SEQUELA_ISA");
  if (name == nullptr || *name == '\0') return best_isa();
  const Isa isa = to_isa(name);
  if (!has_isa(isa)) {
    throw ConfigError("SEQUELA_ISA", name,
                      str("a set of this CPU, whose best is ", to_text(best_isa())));
  }
  return isa;
}

std::atomic<Isa>& isa_in_use() {
  static std::atomic<Isa> isa{first_isa()};
  return isa;
}

}  // namespace

bool has_isa(Isa isa) {
  return has_instructions(isa) && (isa != Isa::avx512_bf16 || has_bf16_tile_gemm());
}

Isa best_isa() {
  static const Isa best = [] {
    Isa found = Isa::portable;
    for (const Isa isa : kIsas) {
      if (has_isa(isa)) found = isa;
    }
    return found;
  }();
  return best;
}

Isa kernel_isa() {
  return isa_in_use().load(std::memory_order_relaxed);
}

void set_kernel_isa(Isa isa) {
  if (!has_isa(isa)) {
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
    case Isa::avx2_vnni:
      return "avx2_vnni";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_bf16:
      return "avx512_bf16";
  }
  return "unknown";
}

Isa to_isa(const std::string& text) {
  std::string names;
  for (const Isa isa : kIsas) {
    if (to_text(isa) == text) return isa;
    names += (names.empty() ? "" : ", ") + to_text(isa);
  }
  throw ConfigError("SEQUELA_ISA", text, names);
}

bool has_bf16_products() {
  return kernel_isa() == Isa::avx512_bf16;
}

bool has_onednn_products() {
  static const bool is_accepted = c10::Dispatcher::singleton()
                                      .findSchemaOrThrow("mkldnn::_is_mkldnn_bf16_supported", "")
                                      .typed<bool()>()
                                      .call();
  return is_accepted && kernel_isa() >= Isa::avx512;
}

Int8Products int8_products() {
  if (kernel_isa() == Isa::portable) return Int8Products::portable;
  if (kernel_isa() >= Isa::avx512 && has_int8_tile_gemm()) return Int8Products::onednn;
  const bool has_vnni = kernel_isa() != Isa::avx2 && has_isa(Isa::avx2_vnni);
  return has_vnni ? Int8Products::avx2_vnni : Int8Products::avx2;
}

std::string to_text(Int8Products products) {
  switch (products) {
    case Int8Products::portable:
      return "portable";
    case Int8Products::avx2:
      return "avx2";
    case Int8Products::avx2_vnni:
      return "avx2_vnni";
    case Int8Products::onednn:
      return "oneDNN";
  }
  return "unknown";
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

}  // namespace sequela
