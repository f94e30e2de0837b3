#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/nn/recurrence.h"
#include "tests/nn/hawk_support.h"

namespace sequela {
namespace {

void check_against_dense(const HawkCase& c, at::ScalarType type) {
  at::manual_seed(5);
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  const int64_t tokens = sequences.num_tokens(), width = c.blocks * c.block_size;
  const at::Tensor x = in_wider_rows(random_values({tokens, width}, 1, type), 24);
  const at::Tensor y = in_wider_rows(random_values({tokens, width}, 1, type), 16);
  const HawkParameters parameters = random_hawk_parameters(c);
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& tensor : tensors_of(parameters)) leaves.push_back(leaf(tensor));
  const at::Tensor x_leaf = leaf(x), y_leaf = leaf(y);
  const at::Tensor expected = dense_hawk(x_leaf, y_leaf, hawk_parameters_of(leaves), sequences);

  at::Tensor out = in_wider_rows(at::zeros({tokens, width}, type), 8);
  at::Tensor states = at::empty({num_hawk_chunks(tokens), width});
  hawk_forward(x, y, parameters, sequences, out, states);
  EXPECT_LT(relative_error(out, expected), tolerance(type));

  const at::Tensor grad_out = in_wider_rows(random_values({tokens, width}, 1, type), 40);
  expected.backward(grad_out.to(at::kDouble));
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& tensor : leaves) gradients.push_back(at::ones(tensor.sizes()));
  at::Tensor grad_x = in_wider_rows(at::ones({tokens, width}, type), 8);
  at::Tensor grad_y = in_wider_rows(at::ones({tokens, width}, type), 48);
  hawk_backward(x, y, parameters, sequences, states, grad_out, grad_x, grad_y,
                hawk_parameters_of(gradients));
  EXPECT_LT(relative_error(grad_x, x_leaf.grad()), tolerance(type));
  EXPECT_LT(relative_error(grad_y, y_leaf.grad()), tolerance(type));
  for (size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_LT(relative_error(gradients[i] - 1, leaves[i].grad()), tolerance(type))
        << "parameter " << i;
  }
}

TEST(HawkKernel, EqualsThePublishedRecurrenceAndItsGradients) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (size_t i = 0; i < kHawkCases.size(); ++i) {
      for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(
            str(to_text(isa), ", case ", i, type == at::kFloat ? ", float32" : ", bfloat16"));
        check_against_dense(kHawkCases[i], type);
      }
    }
  }
}

TEST(HawkKernel, DoesNotDependOnTheNumberOfThreads) {
  const HawkCase c{{300, 1, 90}, 4, 32};
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  const HawkParameters parameters = random_hawk_parameters(c);
  for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = random_values({3, sequences.num_tokens(), 128}, 1, type);
    expect_same_for_any_threads([&] {
      const at::Tensor states = at::empty({num_hawk_chunks(sequences.num_tokens()), 128});
      std::vector<at::Tensor> results;
      for (const at::Tensor& tensor : tensors_of(parameters))
        results.push_back(at::zeros(tensor.sizes()));
      const HawkParameters gradients = hawk_parameters_of(results);
      const at::Tensor out = at::empty_like(x);
      hawk_forward(x[0], x[1], parameters, sequences, out[0], states);
      hawk_backward(x[0], x[1], parameters, sequences, states, x[2], out[1], out[2], gradients);
      results.push_back(out);
      return results;
    });
  }
}

TEST(HawkKernel, BoundsTheGradientOfTheRoot) {
  // a_param so small that a rounds to 1: the root's derivative is infinite without the bound.
  at::manual_seed(6);
  const HawkCase c{{70}, 1, 64};
  const PackedSequences sequences =
      build_packed_sequences(at::tensor(c.lengths, at::kInt), at::kCPU);
  HawkParameters parameters = random_hawk_parameters(c);
  parameters.a_param_W = at::full({64}, -40.0);
  const at::Tensor x = random_values({70, 64}, 1, at::kFloat), ones = at::ones({70, 64});
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    at::Tensor out = at::empty({70, 64}), states = at::empty({num_hawk_chunks(70), 64});
    hawk_forward(x, ones, parameters, sequences, out, states);
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& tensor : tensors_of(parameters))
      gradients.push_back(at::zeros(tensor.sizes()));
    at::Tensor grad_x = at::empty({70, 64}), grad_y = at::empty({70, 64});
    hawk_backward(x, ones, parameters, sequences, states, ones, grad_x, grad_y,
                  hawk_parameters_of(gradients));
    EXPECT_TRUE(at::isfinite(grad_x).all().item<bool>());
    for (const at::Tensor& gradient : gradients)
      EXPECT_TRUE(at::isfinite(gradient).all().item<bool>());
  }
}

}  // namespace
}  // namespace sequela
