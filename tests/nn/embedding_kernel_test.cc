#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/nn/token_embedding.h"
#include "tests/nn/kernel_support.h"

namespace sequela {
namespace {

struct Bags {
  at::Tensor ids, weights, offsets;
};

Bags random_bags(int64_t tokens, int64_t vocabulary) {
  const at::Tensor sizes = at::randint(0, 12, {tokens}, at::kInt);
  const at::Tensor offsets = at::cat({at::zeros({1}, at::kInt), sizes.cumsum(0).to(at::kInt)});
  const int64_t entries = offsets[tokens].item<int32_t>();
  return {at::randint(0, vocabulary, {entries}, at::kInt), at::rand({entries}), offsets};
}

TEST(EmbeddingBagKernel, EqualsAutograd) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    for (auto [tokens, vocabulary, hidden] : {std::tuple{1, 3, 8}, {50, 7, 20}, {300, 1000, 64}}) {
      SCOPED_TRACE(str(to_text(isa), ", ", tokens, " tokens"));
      at::manual_seed(4);
      const Bags bags = random_bags(tokens, vocabulary);
      const at::Tensor table = at::randn({vocabulary, hidden}), table_leaf = leaf(table);
      const at::Tensor sizes = bags.offsets.slice(0, 1) - bags.offsets.slice(0, 0, -1);
      const at::Tensor rows = table_leaf.index_select(0, bags.ids) * bags.weights.unsqueeze(1);
      const at::Tensor expected =
          at::zeros({tokens, hidden}, at::kDouble)
              .index_add(0, at::repeat_interleave(sizes.to(at::kLong)), rows);
      at::Tensor out = in_wider_rows(at::ones({tokens, hidden}), 8);
      embedding_bag_forward(table, bags.ids, bags.weights, bags.offsets, out);
      EXPECT_LT(relative_error(out, expected), 1e-5);
      const at::Tensor grad_out = in_wider_rows(at::randn({tokens, hidden}), 8);
      expected.backward(grad_out.to(at::kDouble));
      at::Tensor grad_table = at::ones({vocabulary, hidden});
      embedding_bag_backward(grad_out, bags.ids, bags.weights, bags.offsets, grad_table);
      EXPECT_LT(relative_error(grad_table - 1, table_leaf.grad()), 1e-5);
    }
  }
}

TEST(EmbeddingBagKernel, DoesNotDependOnTheNumberOfThreads) {
  const Bags bags = random_bags(700, 90);
  const at::Tensor table = at::randn({90, 200}), grad_out = at::randn({700, 200});
  expect_same_for_any_threads([&] {
    const at::Tensor out = at::empty({700, 200}), grad_table = at::zeros({90, 200});
    embedding_bag_forward(table, bags.ids, bags.weights, bags.offsets, out);
    embedding_bag_backward(grad_out, bags.ids, bags.weights, bags.offsets, grad_table);
    return std::vector{out, grad_table};
  });
}

TEST(EmbeddingBagKernel, TakesOneTokenPerEntryWithoutWeights) {
  for (Isa isa : runnable_isas()) {
    const WithIsa with_isa(isa);
    const at::Tensor table = at::randn({5, 16}), ids = at::tensor({4, 0, 4}, at::kInt);
    at::Tensor out = at::empty({3, 16});
    embedding_bag_forward(table, ids, {}, {}, out);
    EXPECT_TRUE(out.equal(table.index_select(0, ids)));
    at::Tensor grad_table = at::zeros({5, 16});
    embedding_bag_backward(out, ids, {}, {}, grad_table);
    EXPECT_TRUE(grad_table[4].equal(2 * table[4]));
    EXPECT_TRUE(grad_table[1].equal(at::zeros({16})));
  }
}

TEST(EmbeddingBagKernel, RefusesAnIdOutsideTheTable) {
  at::Tensor out = at::empty({1, 4});
  EXPECT_THROW(embedding_bag_forward(at::zeros({3, 4}), at::tensor({3}, at::kInt), {}, {}, out),
               std::invalid_argument);
}

}  // namespace
}  // namespace sequela
