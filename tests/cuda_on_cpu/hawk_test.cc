#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/nn/kernel_table.h"
#include "sequela/nn/recurrence.h"
#include "tests/cuda_on_cpu/twin.h"
#include "tests/nn/hawk_support.h"

namespace sequela {
namespace {

using cuda_on_cpu::device;
using cuda_on_cpu::expect_twins;
using cuda_on_cpu::in_guarded_rows;
using cuda_on_cpu::kernels;
using cuda_on_cpu::Tensors;

// Chunks of 64 tokens just missed and just met; more channels than a block has threads.
const std::vector<HawkCase> kMoreCases = {{{63}, 1, 24}, {{64}, 1, 24},      {{65}, 1, 24},
                                          {{5}, 3, 100}, {{128, 129}, 2, 8}, {{4000, 96}, 1, 8}};

struct HawkInputs {
  PackedSequences sequences;
  at::Tensor x, y, grad_out;
  HawkParameters parameters;

  HawkInputs(const HawkCase& c, at::ScalarType type, at::Device on)
      : sequences(build_packed_sequences(at::tensor(c.lengths, at::kInt), on)) {
    const int64_t tokens = sequences.num_tokens(), width = c.blocks * c.block_size;
    at::manual_seed(5);
    x = in_guarded_rows(random_values({tokens, width}, 1, type).to(on), 24);
    y = in_guarded_rows(random_values({tokens, width}, 1, type).to(on), 16);
    grad_out = in_guarded_rows(random_values({tokens, width}, 1, type).to(on), 40);
    Tensors moved = tensors_of(random_hawk_parameters(c));
    for (at::Tensor& tensor : moved) tensor = tensor.to(on);
    parameters = hawk_parameters_of(moved);
  }
};

Tensors run_hawk(const HawkInputs& in, const KernelTable& table) {
  const int64_t tokens = in.x.size(0), width = in.x.size(1);
  const at::Tensor out = in_guarded_rows(at::zeros_like(in.x), 8),
                   states = at::empty({num_hawk_chunks(tokens), width},
                                      in.x.options().dtype(at::kFloat)),
                   grad_x = in_guarded_rows(at::ones_like(in.x), 8),
                   grad_y = in_guarded_rows(at::ones_like(in.x), 48);
  Tensors gradients;
  for (const at::Tensor& tensor : tensors_of(in.parameters))
    gradients.push_back(at::zeros_like(tensor));
  table.hawk_forward(in.x, in.y, in.parameters, in.sequences, out, states);
  table.hawk_backward(in.x, in.y, in.parameters, in.sequences, states, in.grad_out, grad_x, grad_y,
                      hawk_parameters_of(gradients));
  Tensors results = {out, states, grad_x, grad_y};
  results.insert(results.end(), gradients.begin(), gradients.end());
  return results;
}

void check(const HawkCase& c, at::ScalarType type) {
  const HawkInputs in(c, type, device()), same(c, type, at::kCPU);
  const std::vector<double> bounds(11, type == at::kFloat ? 2e-4 : 8e-2);
  expect_twins([&] { return run_hawk(in, kernels()); },
               [&] { return run_hawk(same, cpu_kernels()); }, bounds);
}

TEST(CudaHawk, EqualsTheCpus) {
  for (const std::vector<HawkCase>* cases : {&kHawkCases, &kMoreCases}) {
    for (size_t i = 0; i < cases->size(); ++i) {
      for (at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(str(cases == &kHawkCases ? "case " : "another case ", i, ", ",
                         cuda_on_cpu::name_of(type)));
        check((*cases)[i], type);
      }
    }
  }
}

TEST(CudaHawk, TakesNoTokens) {
  const HawkInputs in({{}, 2, 8}, at::kFloat, device());
  const Tensors results = run_hawk(in, kernels());
  for (size_t i = 4; i < results.size(); ++i) EXPECT_EQ(results[i].abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace sequela
