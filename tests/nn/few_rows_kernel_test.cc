#include "sequela/nn/few_rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

TEST(FewRowsKernel, EqualsTheProductInFloat64) {
  for (const Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      for (const auto& [rows, inputs, outputs] :
           {std::tuple{1, 1, 1}, {1, 64, 3}, {2, 17, 9}, {5, 130, 64}, {9, 768, 250}}) {
        SCOPED_TRACE(str(to_text(isa), ", ", type == at::kFloat ? "float32" : "bfloat16", ", ",
                         rows, " x ", inputs, " x ", outputs));
        at::manual_seed(5);
        const at::Tensor x = in_wider_rows(at::randn({rows, inputs}), 8);
        const at::Tensor weight = random_values({outputs, inputs}, 1, type);
        const at::Tensor out = in_wider_rows(at::empty({rows, outputs}), 6);
        linear_few_rows(x, weight, out);
        const at::Tensor expected = at::mm(x.to(at::kDouble), weight.to(at::kDouble).t());
        EXPECT_LT(relative_error(out, expected), 2e-6);
      }
    }
  }
}

TEST(FewRowsKernel, GivesEachRowTheSameWhateverElseIsThere) {
  const at::Tensor x = at::randn({7, 96}), weight = at::randn({33, 96});
  const at::Tensor together = at::empty({7, 33}), alone = at::empty({1, 33});
  linear_few_rows(x, weight, together);
  for (int64_t t = 0; t < 7; ++t) {
    linear_few_rows(x.narrow(0, t, 1), weight, alone);
    EXPECT_TRUE(alone[0].equal(together[t]));
  }
}

TEST(FewRowsKernel, RefusesWhatDoesNotFit) {
  const at::Tensor out = at::empty({1, 4});
  EXPECT_THROW(linear_few_rows(at::ones({1, 3}), at::ones({4, 2}), out), std::invalid_argument);
  EXPECT_THROW(linear_few_rows(at::ones({1, 3}), at::ones({5, 3}), out), std::invalid_argument);
  EXPECT_THROW(linear_few_rows(at::ones({1, 3}), at::ones({3, 4}).t(), out), std::invalid_argument);
}

}  // namespace
}  // namespace sequela
