#include "sequela/model/low_rank.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sequela {
namespace {

// Two matrices that are adapted, and what is not: another's name, a vector.
Parameters made_up() {
  Parameters model = Parameters::allocate({{"transformer.embed_bag.weight", {9, 6}},
                                           {"transformer.layers.0.input_proj.weight", {10, 6}},
                                           {"transformer.layers.0.norm.weight", {6}},
                                           {"transformer.layers.1.output_proj.weight", {6, 8}}},
                                          at::kCPU);
  model.flat_values.copy_(at::sin(at::arange(model.flat_values.numel())));
  return model;
}

// To factors of full rank.
void move(const LowRank& low_rank) {
  for (const Parameter& item : low_rank.factors().items) {
    at::Tensor value = item.value;
    value.add_(at::cos(at::arange(value.numel())).view(value.sizes()));
  }
}

TEST(LowRank, StartsAtTheModel) {
  Parameters model = made_up();
  const at::Tensor before = model.flat_values.clone();
  LowRank low_rank(model, 2, 1);
  ASSERT_EQ(low_rank.factors().items.size(), 4u);
  EXPECT_EQ(low_rank.factors().items[0].name, "transformer.layers.0.input_proj.weight.lora_a");
  EXPECT_EQ(low_rank.factors().items[1].value.sizes(), (at::IntArrayRef{10, 2}));
  low_rank.merge();
  EXPECT_TRUE(at::equal(model.flat_values, before));
  EXPECT_GT(low_rank.factors().items[0].value.abs().max().item<double>(), 0.1);
}

TEST(LowRank, MergesAChangeOfItsRank) {
  Parameters model = made_up();
  const at::Tensor before = model.get("transformer.layers.0.input_proj.weight").value.clone();
  const at::Tensor embedding = model.items[0].value.clone();
  LowRank low_rank(model, 2, 1);
  move(low_rank);
  low_rank.merge();
  const at::Tensor change = model.get("transformer.layers.0.input_proj.weight").value - before;
  EXPECT_EQ(at::linalg_matrix_rank(change, 1e-4).item<int64_t>(), 2);
  EXPECT_TRUE(at::equal(model.items[0].value, embedding));
  low_rank.merge();  // from the start again, not on top
  EXPECT_TRUE(
      at::allclose(model.get("transformer.layers.0.input_proj.weight").value - before, change));
}

// Of the loss sum(G * W), whose gradient in W is G.
TEST(LowRank, GradientsAreTheSlopes) {
  Parameters model = made_up();
  LowRank low_rank(model, 2, 1);
  move(low_rank);
  const at::Tensor direction = at::cos(at::arange(model.flat_values.numel()) * 0.7);
  const auto loss = [&] {
    low_rank.merge();
    return at::dot(direction.to(at::kDouble), model.flat_values.to(at::kDouble)).item<double>();
  };
  model.flat_gradients.copy_(direction);
  low_rank.take_gradients();
  EXPECT_EQ(model.flat_gradients.abs().max().item<double>(), 0);
  for (const Parameter& item : low_rank.factors().items) {
    for (int64_t i = 0; i < item.value.numel(); ++i) {
      at::Tensor value = at::Tensor(item.value).view(-1)[i];
      const double middle = value.item<double>(), step = 0.25;
      value.fill_(middle + step);
      const double above = loss();
      value.fill_(middle - step);
      const double slope = (above - loss()) / (2 * step);
      value.fill_(middle);
      EXPECT_NEAR(item.gradient.view(-1)[i].item<double>(), slope, 1e-4) << item.name;
    }
  }
  const at::Tensor once = low_rank.factors().flat_gradients.clone();
  model.flat_gradients.copy_(direction);
  low_rank.take_gradients();
  EXPECT_TRUE(at::allclose(low_rank.factors().flat_gradients, 2 * once));
}

}  // namespace
}  // namespace sequela
