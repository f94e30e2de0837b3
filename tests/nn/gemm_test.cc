#include "sequela/nn/gemm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace sequela {
namespace {

int64_t resident_bytes() {
  int64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// A run meets batches of ever new sizes. Unbounded, oneDNN keeps some 0.4 MB of each.
TEST(Gemm, ProductsOfManySizesNeedLittleMemory) {
  configure_gemm();
  const int64_t kSizes = 700;
  const at::Tensor x = at::ones({kSizes, 64}, at::kBFloat16);
  const at::Tensor weight = at::ones({64, 64}, at::kBFloat16);
  const at::Tensor out = at::empty({kSizes, 64}, at::kBFloat16);
  const int64_t before = resident_bytes();
  for (int64_t rows = 1; rows <= kSizes; ++rows) {
    linear_forward(x.narrow(0, 0, rows), weight, out.narrow(0, 0, rows));
  }
  EXPECT_TRUE(out.eq(64).all().item<bool>());
  EXPECT_LT(resident_bytes() - before, int64_t{200} << 20);
}

}  // namespace
}  // namespace sequela
