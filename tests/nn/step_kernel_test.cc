// The steps against the kernels that see whole sequences.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>

#include "sequela/core/error.h"
#include "sequela/nn/attention.h"
#include "sequela/nn/step.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

HawkParameters hawk_parameters(int64_t blocks, int64_t size) {
  const int64_t width = blocks * size;
  return {at::randn({4, width}),
          at::randn({width}),
          at::randn({blocks, size, size}),
          at::randn({blocks, size}),
          at::randn({blocks, size, size}) * 0.3,
          at::randn({blocks, size}),
          at::randn({width}) - 2};
}

TEST(HawkStep, FollowsTheWholeSequence) {
  constexpr int64_t kTokens = 20;
  for (const Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (const auto& [blocks, size] : {std::pair{2, 64}, {3, 16}, {2, 20}}) {
      SCOPED_TRACE(str(to_text(isa), ", ", blocks, " blocks of ", size));
      at::manual_seed(4);
      const int64_t width = blocks * size;
      const HawkParameters parameters = hawk_parameters(blocks, size);
      const at::Tensor x = at::randn({kTokens, width}), y = at::randn({kTokens, width});
      // Two sequences: the second must not see the first.
      const PackedSequences sequences =
          build_packed_sequences(at::tensor({7, 13}, at::kLong), at::kCPU);
      const at::Tensor expected = at::empty({kTokens, width});
      hawk_forward(x, y, parameters, sequences, expected,
                   at::empty({num_hawk_chunks(kTokens), width}));

      const HawkStepParameters step_parameters(parameters);
      const at::Tensor out = at::empty({kTokens, width});
      at::Tensor memory = at::full({4, width}, NAN);  // what a start must not look at
      std::vector<float> scratch(3 * width);
      for (int64_t t = 0; t < kTokens; ++t) {
        hawk_step(step_parameters,
                  {.x_W = x[t].const_data_ptr<float>(),
                   .y_W = y[t].const_data_ptr<float>(),
                   .is_start = t == 0 || t == 7,
                   .history_3W = memory.data_ptr<float>(),
                   .state_W = memory.data_ptr<float>() + 3 * width,
                   .out_W = out[t].data_ptr<float>()},
                  scratch);
      }
      EXPECT_LT(relative_error(out, expected), tolerance(at::kFloat));
    }
  }
}

// Keys and values of some tokens in chunks, with bytes of other layers around them.
struct Slots {
  static constexpr int64_t kBefore = 128;
  std::vector<std::vector<std::byte>> chunks;
  std::vector<const void*> pointers;
  int64_t chunk_rows_bytes;

  Slots(const at::Tensor& keys, const at::Tensor& values)
      : chunk_rows_bytes(kSlotsPerChunk * keys[0].numel() *
                         static_cast<int64_t>(keys.element_size())) {
    const int64_t row = static_cast<int64_t>(keys[0].nbytes());
    for (int64_t s = 0; s < keys.size(0); ++s) {
      if (s % kSlotsPerChunk == 0) chunks.emplace_back(kBefore + 2 * chunk_rows_bytes);
      std::byte* to = chunks.back().data() + kBefore + s % kSlotsPerChunk * row;
      std::memcpy(to, keys[s].const_data_ptr(), row);
      std::memcpy(to + chunk_rows_bytes, values[s].const_data_ptr(), row);
    }
    for (const auto& chunk : chunks) pointers.push_back(chunk.data());
  }
};

TEST(AttentionStep, EqualsTheLastTokensAttention) {
  for (const Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      for (const auto& [tokens, heads, size] :
           {std::tuple{1, 1, 16}, {5, 3, 64}, {40, 2, 32}, {33, 2, 10}}) {
        SCOPED_TRACE(str(to_text(isa), ", ", type == at::kFloat ? "float32" : "bfloat16", ", ",
                         tokens, " tokens, ", heads, " x ", size));
        at::manual_seed(6);
        const at::Tensor q = at::randn({heads, size});
        const at::Tensor k = at::randn({tokens, heads, size}).to(type);
        const at::Tensor v = at::randn({tokens, heads, size}).to(type);
        const Slots slots(k, v);
        at::Tensor out = at::empty({heads, size});
        std::vector<float> scratch(heads * tokens);
        attention_step({.q_HD = q.const_data_ptr<float>(),
                        .chunks = slots.pointers.data(),
                        .keys_offset = Slots::kBefore,
                        .values_offset = Slots::kBefore + slots.chunk_rows_bytes,
                        .is_bf16 = type == at::kBFloat16,
                        .num_slots = tokens,
                        .num_heads = heads,
                        .head_size = size,
                        .out_HD = out.data_ptr<float>()},
                       scratch);
        const at::Tensor scores = at::einsum("hd,thd->ht", {q.to(at::kDouble), k.to(at::kDouble)}) /
                                  std::sqrt(static_cast<double>(size));
        const at::Tensor expected =
            at::einsum("ht,thd->hd", {at::softmax(scores, 1), v.to(at::kDouble)});
        EXPECT_LT(relative_error(out, expected), 2e-6);
      }
    }
  }
}

}  // namespace
}  // namespace sequela
