#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "sequela/nn/isa.h"

namespace sequela {

// Every instruction set that this machine can run.
inline std::vector<Isa> runnable_isas() {
  std::vector<Isa> isas;
  for (Isa isa : {Isa::portable, Isa::avx2, Isa::avx2_vnni, Isa::avx512, Isa::avx512_bf16}) {
    if (has_isa(isa)) isas.push_back(isa);
  }
  return isas;
}

// Forces an instruction set for a scope.
class WithIsa {
 public:
  explicit WithIsa(Isa isa) : before_(kernel_isa()) { set_kernel_isa(isa); }
  ~WithIsa() { set_kernel_isa(before_); }

 private:
  Isa before_;
};

}  // namespace sequela
