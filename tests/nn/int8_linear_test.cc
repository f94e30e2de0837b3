#include "sequela/nn/int8_linear.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

struct Layer {
  at::Tensor weight_OI, bias_O;
};

Layer random_layer(int64_t inputs, int64_t outputs) {
  return {at::randn({outputs, inputs}) / std::sqrt(static_cast<double>(inputs)),
          at::randn({outputs})};
}

// What the layer computes, by its definition, in double precision.
at::Tensor by_definition(const Layer& layer, const at::Tensor& x_TI) {
  const at::Tensor weight = layer.weight_OI.to(at::kDouble), x = x_TI.to(at::kDouble);
  const at::Tensor weight_scale = weight.abs().amax(1, true) / 127,
                   x_scale = (x.abs().amax(1, true) / 127).clamp_min(1e-300);
  const at::Tensor rows = (x / x_scale + 0.5).floor() * x_scale;
  return at::mm(rows, ((weight / weight_scale).round() * weight_scale).t()) + layer.bias_O;
}

class Int8LinearOnIsa : public testing::TestWithParam<Isa> {};

TEST_P(Int8LinearOnIsa, ComputesItsDefinitionForOddSizes) {
  const WithIsa with_isa(GetParam());
  at::manual_seed(3);
  for (const int64_t rows : {1, 3, 4, 63, 64, 65, 517}) {
    for (const auto& [inputs, outputs] :
         {std::pair<int64_t, int64_t>{1, 1}, {5, 17}, {64, 64}, {77, 130}, {768, 31}}) {
      const Layer layer = random_layer(inputs, outputs);
      const at::Tensor x = at::randn({rows, inputs});
      const at::Tensor y = Int8Linear(layer.weight_OI, layer.bias_O).forward(x);
      // A value that lies between two bytes may go either way: a step of one byte at most.
      EXPECT_LT(relative_error(y, by_definition(layer, x)), 0.004)
          << rows << " x " << inputs << " -> " << outputs;
    }
  }
}

// Pairs of the largest bytes leave 16 bits; sums must not notice.
TEST_P(Int8LinearOnIsa, LargestBytesDoNotSaturate) {
  const WithIsa with_isa(GetParam());
  for (const double sign : {1.0, -1.0}) {
    const Layer layer{at::ones({40, 512}), at::zeros({40})};
    const at::Tensor x = at::full({9, 512}, 3 * sign);
    const at::Tensor y = Int8Linear(layer.weight_OI, layer.bias_O).forward(x);
    EXPECT_LT(relative_error(y, at::full({9, 40}, 3 * 512 * sign)), 1e-6);
  }
}

TEST_P(Int8LinearOnIsa, RowsThatAreNotFiniteGiveNaNAndOthersDoNot) {
  const WithIsa with_isa(GetParam());
  const Layer layer = random_layer(33, 20);
  for (const float fault : {std::nanf(""), INFINITY, -INFINITY}) {
    for (const int64_t place : {0, 16, 32}) {
      at::Tensor x = at::randn({5, 33});
      const at::Tensor clean = Int8Linear(layer.weight_OI, layer.bias_O).forward(x);
      x[2][place] = fault;
      const at::Tensor y = Int8Linear(layer.weight_OI, layer.bias_O).forward(x);
      EXPECT_TRUE(y[2].isnan().all().item<bool>()) << fault << " at " << place;
      for (const int64_t row : {0, 1, 3, 4}) EXPECT_TRUE(y[row].equal(clean[row]));
    }
  }
}

TEST_P(Int8LinearOnIsa, RowsOfZerosGiveTheBias) {
  const WithIsa with_isa(GetParam());
  const Layer layer = random_layer(48, 70);
  const at::Tensor y = Int8Linear(layer.weight_OI, layer.bias_O).forward(at::zeros({3, 48}));
  EXPECT_TRUE(y.equal(layer.bias_O.expand({3, 70})));
}

TEST_P(Int8LinearOnIsa, TakesRowsOfAWiderTensorAndNoRows) {
  const WithIsa with_isa(GetParam());
  const Layer layer = random_layer(24, 18);
  const Int8Linear linear(layer.weight_OI, layer.bias_O);
  const at::Tensor x = at::randn({7, 24});
  EXPECT_TRUE(linear.forward(in_wider_rows(x, 6)).equal(linear.forward(x)));
  EXPECT_EQ(linear.forward(at::empty({0, 24})).size(0), 0);
}

TEST_P(Int8LinearOnIsa, DoesNotDependOnThreads) {
  const WithIsa with_isa(GetParam());
  const Layer layer = random_layer(96, 200);
  const Int8Linear linear(layer.weight_OI, layer.bias_O);
  const at::Tensor x = at::randn({1'100, 96});
  expect_same_for_any_threads([&] { return std::vector{linear.forward(x)}; });
}

INSTANTIATE_TEST_SUITE_P(Isas, Int8LinearOnIsa, testing::ValuesIn(runnable_isas()),
                         [](const auto& info) { return to_text(info.param); });

}  // namespace
}  // namespace sequela
