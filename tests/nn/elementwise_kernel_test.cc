#include "sequela/nn/elementwise.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

template <class Body>
void for_each_kind(Body body) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      for (auto [rows, columns] : {std::pair{1, 1}, {3, 20}, {65, 64}, {200, 768}, {7, 130}}) {
        SCOPED_TRACE(sequela::str(to_text(isa), ", ", type == at::kFloat ? "float32" : "bfloat16",
                                  ", ", rows, " x ", columns));
        at::manual_seed(3);
        body(type, rows, columns);
      }
    }
  }
}

TEST(RmsNormKernel, EqualsAutograd) {
  for_each_kind([](at::ScalarType type, int64_t rows, int64_t columns) {
    const int64_t overwritten = std::min<int64_t>(columns, 5);
    const at::Tensor x = in_wider_rows(random_values({rows, columns}, 2, at::kFloat), 8);
    const at::Tensor branch = in_wider_rows(random_values({rows, columns}, 1, type), 16);
    const at::Tensor weight = random_values({columns}, 1, at::kFloat);
    const at::Tensor features = in_wider_rows(random_values({rows, overwritten}, 1, at::kFloat), 5);
    const at::Tensor x_leaf = leaf(x), branch_leaf = leaf(branch), weight_leaf = leaf(weight);
    const at::Tensor sum_leaf = x_leaf + branch_leaf;
    at::Tensor expected =
        sum_leaf * at::rsqrt(sum_leaf.square().mean(-1, true) + kRmsNormEpsilon) * weight_leaf;
    expected = at::cat({expected.narrow(1, 0, columns - overwritten), features.to(at::kDouble)}, 1);

    at::Tensor sum = at::empty({rows, columns}), inverse_rms = at::empty({rows});
    at::Tensor out = in_wider_rows(at::empty({rows, columns}, type), 8);
    rms_norm_forward({x, branch, sum, weight, features, out, inverse_rms});
    EXPECT_LT(relative_error(sum, sum_leaf), 1e-6);
    EXPECT_LT(relative_error(out, expected), tolerance(type));

    const at::Tensor grad_out = in_wider_rows(random_values({rows, columns}, 1, type), 8);
    const at::Tensor grad_before = random_values({rows, columns}, 1, at::kFloat);
    (expected * grad_out.to(at::kDouble)).sum().backward();
    at::Tensor grad_x = grad_before.clone(), copy = at::empty({rows, columns}, type);
    at::Tensor grad_weight = at::ones({columns});
    rms_norm_backward(
        {grad_out, sum, inverse_rms, weight, overwritten, grad_x, false, copy, grad_weight});
    EXPECT_LT(relative_error(grad_x, x_leaf.grad() + grad_before), tolerance(at::kFloat));
    EXPECT_LT(relative_error(copy, branch_leaf.grad() + grad_before), tolerance(type));
    EXPECT_LT(relative_error(grad_weight, weight_leaf.grad() + 1), tolerance(at::kFloat));
    rms_norm_backward(
        {grad_out, sum, inverse_rms, weight, overwritten, grad_x, true, {}, grad_weight});
    if (columns == overwritten) {
      EXPECT_EQ(grad_x.abs().max().item<float>(), 0);  // no column of x is left in the result
    } else {
      EXPECT_LT(relative_error(grad_x, x_leaf.grad()), tolerance(at::kFloat));
    }
  });
}

TEST(RmsNormKernel, NormsWithoutABranchOrFeatures) {
  for_each_kind([](at::ScalarType type, int64_t rows, int64_t columns) {
    const at::Tensor x = random_values({rows, columns}, 1, at::kFloat),
                     weight = at::full({columns}, 2.0);
    at::Tensor out = at::empty({rows, columns}, type), inverse_rms = at::empty({rows});
    rms_norm_forward({x, {}, {}, weight, {}, out, inverse_rms});
    const at::Tensor wide = x.to(at::kDouble);
    EXPECT_LT(
        relative_error(out, 2 * wide * at::rsqrt(wide.square().mean(-1, true) + kRmsNormEpsilon)),
        tolerance(type));
  });
}

TEST(RmsNormKernel, PutsTheGradientInPlaceOfWhatWasNormed) {
  for_each_kind([](at::ScalarType type, int64_t rows, int64_t columns) {
    const at::Tensor grad_out = random_values({rows, columns}, 1, type),
                     x = random_values({rows, columns}, 1, at::kFloat),
                     weight = at::rand({columns}), inverse_rms = at::rand({rows});
    const at::Tensor apart = at::empty({rows, columns}), sums = at::zeros({columns});
    rms_norm_backward({grad_out, x, inverse_rms, weight, 0, apart, true, {}, sums});
    const at::Tensor in_place = x.clone(), same_sums = at::zeros({columns});
    rms_norm_backward({grad_out, in_place, inverse_rms, weight, 0, in_place, true, {}, same_sums});
    EXPECT_TRUE(in_place.equal(apart));
    EXPECT_TRUE(same_sums.equal(sums));
  });
}

TEST(RmsNormKernel, DoesNotDependOnTheNumberOfThreads) {
  const at::Tensor x = at::randn({900, 64}), grad_out = at::randn({900, 64}),
                   weight = at::ones({64});
  const at::Tensor inverse_rms = at::rand({900});
  expect_same_for_any_threads([&] {
    at::Tensor grad_x = at::zeros({900, 64}), grad_weight = at::zeros({64});
    rms_norm_backward({grad_out, x, inverse_rms, weight, 0, grad_x, true, {}, grad_weight});
    return std::vector{grad_x, grad_weight};
  });
}

TEST(TimeFeatures, AreTheTimesAndTheirSquares) {
  const at::Tensor time_data = at::randn({3, 5});
  at::Tensor features = at::empty({3, 10});
  fill_time_features(time_data, features);
  EXPECT_TRUE(features.equal(at::cat({time_data, time_data.square()}, 1)));
}

TEST(SwigluKernel, EqualsAutograd) {
  for_each_kind([](at::ScalarType type, int64_t rows, int64_t columns) {
    const at::Tensor ff = in_wider_rows(random_values({rows, 2 * columns}, 3, type), 24);
    const at::Tensor ff_leaf = leaf(ff);
    const at::Tensor expected =
        at::silu(ff_leaf.narrow(1, 0, columns)) * ff_leaf.narrow(1, columns, columns);
    at::Tensor out = in_wider_rows(at::empty({rows, columns}, type), 8);
    swiglu_forward(ff, out);
    EXPECT_LT(relative_error(out, expected), tolerance(type));
    const at::Tensor grad_out = in_wider_rows(random_values({rows, columns}, 1, type), 8);
    expected.backward(grad_out.to(at::kDouble));
    at::Tensor grad_ff = in_wider_rows(at::empty({rows, 2 * columns}, type), 40);
    swiglu_backward(ff, grad_out, grad_ff);
    EXPECT_LT(relative_error(grad_ff, ff_leaf.grad()), tolerance(type));
  });
}

TEST(SwigluKernel, StaysFiniteFarOut) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    const at::Tensor ff = at::cat({at::full({1, 32}, -3e4), at::full({1, 32}, 2.0)}, 1);
    at::Tensor out = at::empty({1, 32}), grad_ff = at::empty({1, 64});
    swiglu_forward(ff, out);
    swiglu_backward(ff, at::ones({1, 32}), grad_ff);
    EXPECT_EQ(out.abs().max().item<float>(), 0);
    EXPECT_EQ(grad_ff.abs().max().item<float>(), 0);
  }
}

TEST(GeluKernel, EqualsAutograd) {
  for_each_kind([](at::ScalarType type, int64_t rows, int64_t columns) {
    const at::Tensor ff = in_wider_rows(random_values({rows, columns}, 3, type), 8);
    const at::Tensor ff_leaf = leaf(ff);
    const at::Tensor expected = at::gelu(ff_leaf, "none");
    at::Tensor out = in_wider_rows(at::empty({rows, columns}, type), 8);
    gelu_forward(ff, out);
    EXPECT_LT(relative_error(out, expected), tolerance(type));
    const at::Tensor grad_out = random_values({rows, columns}, 1, type);
    expected.backward(grad_out.to(at::kDouble));
    at::Tensor grad_ff = in_wider_rows(at::empty({rows, columns}, type), 8);
    gelu_backward(ff, grad_out, grad_ff);
    EXPECT_LT(relative_error(grad_ff, ff_leaf.grad()), tolerance(type));
  });
}

TEST(BiasKernel, AddsAndSumsColumns) {
  for_each_kind([](at::ScalarType type, int64_t rows, int64_t columns) {
    const at::Tensor before = random_values({rows, columns}, 1, type),
                     bias = random_values({columns}, 1, at::kFloat);
    at::Tensor x = in_wider_rows(before, 8), sums = at::ones({columns});
    add_bias(x, bias);
    EXPECT_LT(relative_error(x, before.to(at::kDouble) + bias), tolerance(type));
    add_column_sums(in_wider_rows(before, 24), sums);
    EXPECT_LT(relative_error(sums, before.to(at::kDouble).sum(0) + 1), 1e-5);
  });
}

TEST(BiasKernel, SumsManyRowsOnAnyNumberOfThreads) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = random_values({20'000, 700}, 1, type) + 1;
    expect_same_for_any_threads([&] {
      const at::Tensor sums = at::zeros({700});
      add_column_sums(x, sums);
      EXPECT_LT(relative_error(sums, x.to(at::kDouble).sum(0)), 1e-6);
      return std::vector{sums};
    });
  }
}

TEST(AccumulateKernel, AddsInFloat32) {
  for_each_kind([](at::ScalarType type, int64_t rows, int64_t columns) {
    const at::Tensor before = random_values({rows, columns}, 100, at::kFloat);
    const at::Tensor part = random_values({rows, columns}, 1e-3, type);
    at::Tensor total = before.clone();
    accumulate(total, part);
    EXPECT_TRUE(total.equal(before + part.to(at::kFloat)));
  });
}

}  // namespace
}  // namespace sequela
