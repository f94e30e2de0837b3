#include "sequela/model/motor.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "sequela/core/random.h"
#include "tests/model/fixtures.h"
#include "tests/model/small_model.h"

namespace sequela {
namespace {

Motor small_motor(const ModelConfig& config) {
  return Motor(config, 5, at::kCPU, Precision::fp32);
}

at::Tensor random_like(const at::Tensor& tensor) {
  at::Tensor values = at::empty_like(tensor);
  Random random(3);
  for (int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<float>()[i] = static_cast<float>(random.normal());
  }
  return values;
}

// Compares the gradient along a random direction with the loss's own slope.
void check_slope(const ModelConfig& config) {
  Motor model = small_motor(config);
  Parameters& parameters = model.parameters();
  parameters.flat_values.add_(random_like(parameters.flat_values),
                              0.05);  // no bias stays 0, no norm 1
  const MotorBatch batch = small_batch({9, 1, 16}, config.encoder.vocab_size);
  parameters.zero_gradients();
  model.loss(batch, 1.0);
  const at::Tensor start = parameters.flat_values.clone();
  for (const Parameter& item : parameters.items) {
    at::Tensor direction = at::zeros_like(start);
    direction.narrow(0, item.offset, item.value.numel()).copy_(random_like(item.value.flatten()));
    const double expected = at::dot(direction, parameters.flat_gradients).item<double>();
    const auto loss_at = [&](double step) {
      parameters.flat_values.copy_(start + direction * step);
      return model.loss(batch, std::nullopt).item<double>();
    };
    const double step = 4e-3;
    const double slope =
        (8 * (loss_at(step) - loss_at(-step)) - (loss_at(2 * step) - loss_at(-2 * step))) /
        (12 * step);
    EXPECT_NEAR(slope, expected, 2e-2 * std::abs(expected) + 2e-4) << item.name;
  }
}

TEST(Motor, GradientIsTheSlopeOfTheLoss) {
  check_slope(small_config());
}

TEST(Motor, GradientIsTheSlopeOfTheLossWithBiasesAndGelu) {
  ModelConfig config = small_config();
  config.encoder.use_bias = true;
  config.encoder.hidden_act = "gelu";
  config.encoder.use_normed_ages = false;
  check_slope(config);
}

TEST(Motor, GradientIsTheSlopeOfTheLossOfOldHeads) {
  ModelConfig config = small_config();
  config.encoder.has_hawk = false;
  config.encoder.time_columns = TimeColumns::normalized_age;
  config.motor->has_norm = false;
  config.motor->has_time_bias = false;
  check_slope(config);
}

TEST(Motor, RecomputedActivationsChangeNoGradient) {
  for (Precision precision : {Precision::fp32, Precision::bf16}) {
    const ModelConfig config = small_config();
    Motor model(config, 5, at::kCPU, precision);
    const MotorBatch batch = small_batch({9, 1, 16}, config.encoder.vocab_size);
    std::vector<at::Tensor> gradients;
    for (Activations activations :
         {Activations::kept, Activations::recomputed, Activations::kept}) {
      model.set_activations(activations);
      model.parameters().zero_gradients();
      model.loss(batch, 1.0);
      gradients.push_back(model.parameters().flat_gradients.clone());
    }
    EXPECT_TRUE(at::equal(gradients[1], gradients[0]));
    EXPECT_TRUE(at::equal(gradients[2], gradients[0]));
  }
}

TEST(Motor, FreshWeightsDependOnTheSeedAlone) {
  const ModelConfig config = small_config();
  Motor a = small_motor(config);
  Motor b = small_motor(config);
  Motor c(config, 6, at::kCPU, Precision::fp32);
  EXPECT_TRUE(at::equal(a.parameters().flat_values, b.parameters().flat_values));
  EXPECT_FALSE(at::equal(a.parameters().flat_values, c.parameters().flat_values));
}

TEST(Motor, FreshWeightsAreDistributedAsFemrs) {
  ModelConfig config = small_config();
  config.encoder.vocab_size = 2'000;
  config.encoder.hidden_size = 128;
  Motor model = small_motor(config);
  const auto value = [&](const std::string& name) { return model.parameters().get(name).value; };
  EXPECT_NEAR(value("transformer.embed_bag.weight").std().item<double>(), 1, 0.01);
  const std::string layer = "transformer.layers.0.";
  const double bound = 1 / std::sqrt(128);
  EXPECT_NEAR(value(layer + "input_proj.weight").std().item<double>(), bound / std::sqrt(3), 2e-3);
  EXPECT_LE(value(layer + "input_proj.weight").abs().max().item<double>(), bound);
  EXPECT_NEAR(value(layer + "hawk_module.linear_x.weight").std().item<double>(), bound, 2e-3);
  EXPECT_NEAR(value(layer + "hawk_module.conv_1d.w").std().item<double>(), 0.05, 5e-3);
  EXPECT_NEAR(value(layer + "hawk_module.rg_lru.a_gate.w").std().item<double>(), 1 / std::sqrt(32),
              1e-2);
  const at::Tensor radius =
      at::exp(-at::log1p(at::exp(value(layer + "hawk_module.rg_lru.a_param"))));
  EXPECT_GE(radius.min().item<double>(), 0.9 - 1e-4);
  EXPECT_LE(radius.max().item<double>(), 0.999 + 1e-4);
  EXPECT_NEAR(value("task_model.task_layer.bias")[4].item<double>(), std::log2(5e-7), 1e-4);
  EXPECT_EQ(value("transformer.out_norm.weight").min().item<double>(), 1);
}

TEST(Motor, DecaysMatricesEmbeddingsAndConvolutionsOnly) {
  ModelConfig config = small_config();
  config.encoder.use_bias = true;
  Motor model = small_motor(config);
  for (const Parameter& item : model.parameters().items) {
    const bool is_matrix =
        item.value.dim() >= 2 && !item.name.ends_with(".b") && !item.name.ends_with("time_bias");
    EXPECT_EQ(item.is_decayed, is_matrix) << item.name;
  }
}

TEST(Motor, PackedSequencesDoNotSeeEachOther) {
  const ModelConfig config = small_config();
  Motor model = small_motor(config);
  const MotorBatch whole = small_batch({20, 13}, config.encoder.vocab_size);
  const at::Tensor together = model.encode(whole.inputs);
  BatchInputs second = whole.inputs;
  second.lengths_S = at::tensor({13}, at::kInt);
  second.token_ids_N = whole.inputs.token_ids_N.narrow(0, 60, 39).contiguous();
  second.token_weights_N = whole.inputs.token_weights_N.narrow(0, 60, 39).contiguous();
  second.token_offsets_T1 = at::arange(14, at::kInt) * 3;
  second.ages_days_T = whole.inputs.ages_days_T.narrow(0, 20, 13).contiguous();
  second.time_data_T5 = whole.inputs.time_data_T5.narrow(0, 20, 13).contiguous();
  EXPECT_LT(max_difference(model.encode(second), together.narrow(0, 20, 13)), 1e-5);
}

TEST(Motor, BatchesOfAnySizeInAnyOrderGiveTheSame) {
  const ModelConfig config = small_config();
  Motor model = small_motor(config);
  const MotorBatch small = small_batch({5}, config.encoder.vocab_size);
  const MotorBatch large = small_batch({70, 31}, config.encoder.vocab_size);
  const double small_loss = model.loss(small, 1.0).item<double>();
  const at::Tensor hidden = model.encode(small.inputs);
  model.loss(large, 1.0);
  EXPECT_EQ(model.loss(small, 1.0).item<double>(), small_loss);
  EXPECT_EQ(model.loss(small, std::nullopt).item<double>(), small_loss);
  EXPECT_TRUE(at::equal(model.encode(small.inputs), hidden));
}

TEST(Motor, ABatchWithoutLabelsCostsNothing) {
  const ModelConfig config = small_config();
  Motor model = small_motor(config);
  MotorBatch batch = small_batch({12}, config.encoder.vocab_size);
  batch.inputs.label_indices_L = at::empty({0}, at::kInt);
  batch.targets = {at::empty({0}), at::zeros({1}, at::kInt), at::empty({0}, at::kInt),
                   at::empty({0})};
  EXPECT_EQ(model.loss(batch, 1.0).item<double>(), 0);
  EXPECT_EQ(model.parameters().flat_gradients.abs().max().item<double>(), 0);
}

// The parts one by one, as torch's autograd calls them, are the training step, bit for bit.
TEST(Motor, PartsOfAStepGiveItsLossAndGradients) {
  const ModelConfig config = small_config();
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    Motor model(config, 5, at::kCPU, precision);
    const MotorBatch batch = small_batch({9, 1, 16}, config.encoder.vocab_size);
    const at::Tensor expected = model.loss(batch, 1.0);

    const at::Tensor hidden_TH = model.forward(batch.inputs);
    const Motor::HeadLoss head = model.head_loss(hidden_TH, batch, Motor::Wanted::gradients);
    const Parameters gradients = model.backward(head.grad_hidden_TH);
    EXPECT_TRUE(at::equal(head.loss, expected));
    EXPECT_EQ(gradients.items.size() + head.gradients.items.size(),
              model.parameters().items.size());
    for (const Parameter& item : model.parameters().items) {
      const Parameters& part = gradients.find(item.name) ? gradients : head.gradients;
      EXPECT_TRUE(at::equal(part.get(item.name).value, item.gradient)) << item.name;
    }
  }
}

TEST(Motor, AHeadsLossAloneHasNoGradients) {
  const ModelConfig config = small_config();
  Motor model = small_motor(config);
  const MotorBatch batch = small_batch({9, 4}, config.encoder.vocab_size);
  const Motor::HeadLoss head =
      model.head_loss(model.encode(batch.inputs), batch, Motor::Wanted::loss);
  EXPECT_EQ(head.loss.item<float>(), model.loss(batch, std::nullopt).item<float>());
  EXPECT_FALSE(head.grad_hidden_TH.defined());
  EXPECT_TRUE(head.gradients.items.empty());
}

TEST(Motor, RefusesInputsThatDoNotFitTogether) {
  const ModelConfig config = small_config();
  Motor model = small_motor(config);
  const MotorBatch good = small_batch({12, 3}, config.encoder.vocab_size);
  const auto refuses = [&](auto&& spoil) {
    MotorBatch batch = good;
    spoil(batch);
    EXPECT_THROW(model.loss(batch, std::nullopt), std::invalid_argument);
  };
  refuses([](MotorBatch& b) { b.inputs.lengths_S = at::tensor({12, 4}, at::kInt); });
  refuses([](MotorBatch& b) { b.inputs.lengths_S = at::tensor({15, 0}, at::kInt); });
  refuses([](MotorBatch& b) { b.inputs.time_data_T5 = at::Tensor(); });
  refuses([](MotorBatch& b) { b.inputs.token_offsets_T1 = at::arange(15, at::kInt); });
  refuses([](MotorBatch& b) { b.inputs.token_ids_N = b.inputs.token_ids_N + 40; });
  refuses([](MotorBatch& b) { b.inputs.label_indices_L = b.inputs.label_indices_L + 3; });
  refuses([](MotorBatch& b) { b.targets.censor_seconds_L = at::ones({2}); });
}

TEST(Motor, RefreshTellsBfloatWeightsOfAChange) {
  const ModelConfig config = small_config();
  Motor model(config, 5, at::kCPU, Precision::bf16);
  const MotorBatch batch = small_batch({12}, config.encoder.vocab_size);
  const at::Tensor before = model.encode(batch.inputs);
  model.parameters().get("transformer.layers.1.output_proj.weight").value.mul_(2);
  EXPECT_TRUE(at::equal(model.encode(batch.inputs), before));
  model.refresh_weights();
  EXPECT_FALSE(at::equal(model.encode(batch.inputs), before));
}

}  // namespace
}  // namespace sequela
