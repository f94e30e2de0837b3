#include "sequela/nn/gemm.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "sequela/core/error.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

int64_t resident_bytes() {
  int64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// A run meets batches of ever new sizes. Unbounded, oneDNN keeps some 0.4 MB of each.
TEST(Gemm, ProductsOfManySizesNeedLittleMemory) {
  bound_product_caches();
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

class GemmOnIsa : public testing::TestWithParam<Isa> {};

// Every product of both types, on views and odd sizes, to the rounding of the result alone.
TEST_P(GemmOnIsa, ProductsAreThoseOfDoublePrecision) {
  const WithIsa with_isa(GetParam());
  at::manual_seed(5);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const double bound = type == at::kFloat ? 2e-6 : 4e-3;
    for (const auto& [rows, inputs, outputs] :
         {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1}, {3, 70, 33}, {1'030, 64, 48}}) {
      const at::Tensor x = in_wider_rows(at::randn({rows, inputs}).to(type), 8);
      const at::Tensor weight = at::randn({outputs, inputs}).to(type);
      const at::Tensor grad = in_wider_rows(at::randn({rows, outputs}).to(type), 8);
      const auto exact = [](const at::Tensor& a, const at::Tensor& b) {
        return at::mm(a.to(at::kDouble), b.to(at::kDouble));
      };
      const at::Tensor out = in_wider_rows(at::zeros({rows, outputs}, type), 8);
      linear_forward(x, weight, out);
      EXPECT_LT(relative_error(out, exact(x, weight.t())), bound);
      const at::Tensor grad_x = at::empty({rows, inputs}, type);
      linear_backward_input(grad, weight, grad_x);
      EXPECT_LT(relative_error(grad_x, exact(grad, weight)), bound);
      const at::Tensor grad_weight = at::ones({outputs, inputs});
      linear_backward_weight(grad, x, at::empty({outputs * inputs}, type), grad_weight);
      EXPECT_LT(relative_error(grad_weight, exact(grad.t(), x) + 1), bound);
      EXPECT_TRUE(multiplied(x, weight.t()).equal(out));
    }
  }
}

TEST_P(GemmOnIsa, AddsToAResultAndMultipliesBatches) {
  const WithIsa with_isa(GetParam());
  const at::Tensor a = at::randn({4, 30, 22}), b = at::randn({4, 22, 50});
  const at::Tensor wanted = at::bmm(a.to(at::kDouble), b.to(at::kDouble));
  const at::Tensor out = at::empty({4, 30, 50});
  multiply_batches(a, b, out);
  EXPECT_LT(relative_error(out, wanted), 2e-6);
  const at::Tensor sum = at::ones({30, 50});
  multiply_add(a[1], b[1], sum);
  EXPECT_LT(relative_error(sum, wanted[1] + 1), 2e-6);
}

TEST_P(GemmOnIsa, EmptyOperandsGiveZerosOrNothing) {
  const WithIsa with_isa(GetParam());
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::TensorOptions options(type);
    EXPECT_EQ(multiplied(at::ones({0, 5}, options), at::ones({5, 3}, options)).size(0), 0);
    const at::Tensor out = multiplied(at::ones({2, 0}, options), at::ones({0, 3}, options));
    EXPECT_TRUE(out.equal(at::zeros({2, 3}, options)));
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, GemmOnIsa, testing::ValuesIn(runnable_isas()),
                         [](const auto& info) { return to_text(info.param); });

// A user's own model in the same process must not change.
TEST(Gemm, LeavesTorchsSettingsAlone) {
  const at::Tensor x = at::randn({40, 40}), out = at::empty({40, 40});
  const at::Float32MatmulPrecision before = at::globalContext().float32MatmulPrecision();
  multiply(x, x, out);
  EXPECT_EQ(at::globalContext().float32MatmulPrecision(), before);
  EXPECT_EQ(before, at::Float32MatmulPrecision::HIGHEST);
}

TEST(Isa, NamesAreReadBackAndOthersRefused) {
  for (const Isa isa : runnable_isas()) EXPECT_EQ(to_isa(to_text(isa)), isa);
  EXPECT_THROW(to_isa("avx3"), ConfigError);
  EXPECT_FALSE(cpu_name().empty());
}

TEST(IsaDeathTest, TheEnvironmentLimitsIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  setenv("SEQUELA_ISA", "portable", 1);
  EXPECT_EXIT(std::exit(kernel_isa() == Isa::portable ? 7 : 1), testing::ExitedWithCode(7), "");
  setenv("SEQUELA_ISA", "avx3", 1);
  EXPECT_EXIT(
      {
        try {
          kernel_isa();
        } catch (const ConfigError& error) {
          std::exit(std::string(error.what()).find("avx2_vnni") != std::string::npos ? 8 : 1);
        }
      },
      testing::ExitedWithCode(8), "");
  unsetenv("SEQUELA_ISA");
}

}  // namespace
}  // namespace sequela
