// CLMBR's loss and gradients: against femr's own numbers, and against torch's cross entropy.
#include "sequela/objective/clmbr/next_code_head.h"

#include <gtest/gtest.h>

#include "sequela/model/model_dir.h"
#include "tests/model/fixtures.h"
#include "tests/support/isa.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

// A CLMBR model of femr's with the batch of its numbers.
struct Example {
  BatchInputs inputs;
  NextCodeHead::Labels labels;
  std::string folder;

  static Example hierarchical() {
    const NpzFile file(reference_path("motor/tutorial/clmbr/batch_0.npz"));
    return {hierarchical_inputs(file), labels_of(file), "model_clmbr"};
  }
  // The normalized age is what femr 0.2.3 calls so.
  static Example flat() {
    const NpzFile file(reference_path("motor/tutorial/clmbr_flat/batch_0.npz"));
    return {flat_inputs(file), labels_of(file), "model_clmbr_flat"};
  }

  std::string path(const std::string& file) const {
    return reference_path("motor/" + folder + "/" + file);
  }
  Motor open(Precision precision = Precision::fp32) const {
    ModelDir dir = read_model_files(path("config.json"), path("weights.safetensors"));
    return {dir.config, std::move(dir.parameters), at::kCPU, precision};
  }
  at::Tensor learn(Motor& model, std::optional<double> scale) const {
    NextCodeHead head(model);
    return model.learn(inputs, scale ? Motor::Wanted::gradients : Motor::Wanted::loss,
                       [&](const at::Tensor& hidden_TH, const at::Tensor& grad_hidden_TH) {
                         return head.loss(hidden_TH, labels, scale, grad_hidden_TH);
                       });
  }

 private:
  static NextCodeHead::Labels labels_of(const NpzFile& file) {
    return {npz_tensor<int64_t>(file, "transformer.label_indices"),
            npz_tensor<int64_t>(file, "task.labels")};
  }
};

class NextCodeParity : public testing::TestWithParam<std::tuple<std::string, Isa>> {
 protected:
  static Example example() {
    return std::get<0>(GetParam()) == "flat" ? Example::flat() : Example::hierarchical();
  }
  WithIsa with_isa_{std::get<1>(GetParam())};
};

TEST_P(NextCodeParity, LossAndEveryGradientEqualFemrs) {
  const Example one = example();
  Motor model = one.open();
  const TensorMap expected = read_tensors(one.path("forward_out.safetensors"));
  const TensorMap gradients = read_tensors(one.path("grads.safetensors"));
  const double loss = expected.at("loss").item<double>();
  EXPECT_LT(max_difference(model.encode(one.inputs), expected.at("final_hidden")), 1e-4);
  EXPECT_LT(max_difference(model.logits(one.inputs), expected.at("logits")), 1e-4);
  EXPECT_NEAR(one.learn(model, std::nullopt).item<double>(), loss, 1e-4);
  model.parameters().zero_gradients();
  EXPECT_NEAR(one.learn(model, 0.25).item<double>(), loss, 1e-4);
  one.learn(model, 0.75);
  ASSERT_EQ(model.parameters().items.size(), gradients.size());
  for (const Parameter& item : model.parameters().items) {
    EXPECT_LT(relative_difference(item.gradient, gradients.at(item.name)), 1e-3) << item.name;
  }
}

TEST_P(NextCodeParity, BfloatStaysNearFloat) {
  const Example one = example();
  Motor model = one.open(Precision::bf16);
  const TensorMap expected = read_tensors(one.path("forward_out.safetensors"));
  const TensorMap gradients = read_tensors(one.path("grads.safetensors"));
  model.parameters().zero_gradients();
  EXPECT_NEAR(one.learn(model, 1.0).item<double>(), expected.at("loss").item<double>(), 2e-2);
  for (const Parameter& item : model.parameters().items) {
    EXPECT_LT(relative_difference(item.gradient, gradients.at(item.name)), 0.1) << item.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, NextCodeParity,
                         testing::Combine(testing::Values("hierarchical", "flat"),
                                          testing::ValuesIn(runnable_isas())),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + to_text(std::get<1>(info.param));
                         });

// More labels than are taken at once, some tokens without one.
class NextCodeHeadTest : public testing::Test {
 protected:
  static constexpr int64_t kTokens = 2'500, kCodes = 37;

  static ModelConfig config() {
    ModelConfig config = read_model_config(reference_path("motor/model_clmbr/config.json"));
    config.clmbr_vocab_size = kCodes;
    return config;
  }

  Motor model_{config(), 3, at::kCPU, Precision::fp32};
  NextCodeHead head_{model_};
  at::Tensor hidden_TH_ = at::sin(at::arange(kTokens * 16).mul(0.37)).view({kTokens, 16});
  NextCodeHead::Labels labels_ = [] {
    const at::Tensor tokens = at::arange(kTokens).masked_select(at::arange(kTokens) % 9 != 4);
    return NextCodeHead::Labels{tokens, (tokens * 7) % kCodes};
  }();

  // By torch's own cross entropy, in float64, with a tape.
  struct Expected {
    at::Tensor loss, grad_hidden, grad_weight, grad_bias, logits;
  };
  Expected expected(double scale) {
    Parameters& parameters = model_.parameters();
    const auto leaf = [](const at::Tensor& value) {
      return value.detach().to(at::kDouble).clone().requires_grad_(true);
    };
    const at::Tensor hidden = leaf(hidden_TH_);
    const at::Tensor weight = leaf(parameters.get("task_model.final_layer.weight").value);
    const at::Tensor bias = leaf(parameters.get("task_model.final_layer.bias").value);
    const at::Tensor logits = at::linear(hidden.index_select(0, labels_.tokens_L), weight, bias);
    const at::Tensor loss = at::cross_entropy_loss(logits, labels_.codes_L);
    (loss * scale).backward();
    return {loss.detach(), hidden.grad(), weight.grad(), bias.grad(), logits.detach()};
  }
};

TEST_F(NextCodeHeadTest, ManyLabelsAreThoseOfOneCrossEntropy) {
  const Expected wanted = expected(0.5);
  model_.parameters().zero_gradients();
  const at::Tensor grad_TH = at::full_like(hidden_TH_, 7);  // is overwritten
  const at::Tensor loss = head_.loss(hidden_TH_, labels_, 0.5, grad_TH);
  EXPECT_NEAR(loss.item<double>(), wanted.loss.item<double>(), 1e-5);
  EXPECT_LT(relative_difference(grad_TH, wanted.grad_hidden), 1e-5);
  const Parameters& parameters = model_.parameters();
  EXPECT_LT(relative_difference(parameters.get("task_model.final_layer.weight").gradient,
                                wanted.grad_weight),
            1e-5);
  EXPECT_LT(
      relative_difference(parameters.get("task_model.final_layer.bias").gradient, wanted.grad_bias),
      1e-5);
}

TEST_F(NextCodeHeadTest, CountsLabelsAmongTheMostLikelyCodes) {
  const at::Tensor logits = expected(1).logits;
  const at::Tensor own = logits.gather(1, labels_.codes_L.unsqueeze(1));
  const at::Tensor rank = logits.gt(own).sum(1);
  const NextCodeHead::Evaluation found = head_.evaluate(hidden_TH_, labels_);
  EXPECT_EQ(found.num_first, rank.eq(0).sum().item<int64_t>());
  EXPECT_EQ(found.num_in_ten, rank.lt(10).sum().item<int64_t>());
  EXPECT_GT(found.num_first, 0);
  EXPECT_LT(found.num_in_ten, labels_.codes_L.numel());
  EXPECT_NEAR(found.loss.item<double>(), expected(1).loss.item<double>(), 1e-5);
  EXPECT_NEAR(found.cost / static_cast<double>(labels_.codes_L.numel()),
              expected(1).loss.item<double>(), 1e-5);
}

TEST_F(NextCodeHeadTest, NoLabelsCostNothing) {
  const NextCodeHead::Labels none{at::empty({0}, at::kLong), at::empty({0}, at::kLong)};
  model_.parameters().zero_gradients();
  const at::Tensor grad_TH = at::full_like(hidden_TH_, 7);
  EXPECT_EQ(head_.loss(hidden_TH_, none, 1.0, grad_TH).item<double>(), 0);
  EXPECT_EQ(grad_TH.abs().max().item<double>(), 0);
  EXPECT_EQ(head_.evaluate(hidden_TH_, none).loss.item<double>(), 0);
}

}  // namespace
}  // namespace sequela
