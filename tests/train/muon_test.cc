// Muon against the singular value decomposition and against torch.optim.Muon.
#include "sequela/train/muon.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/optimizer.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

using Muon = TrainTest;

// What five steps of x -> 3.4445 x - 4.775 x^3 + 2.0315 x^5 make of singular values.
at::Tensor five_steps(at::Tensor s) {
  for (int i = 0; i < 5; ++i) s = 3.4445 * s - 4.775 * s.pow(3) + 2.0315 * s.pow(5);
  return s;
}

// bfloat16 has 8 bits; five steps make 4 % of its rounding.
TEST(MuonMatrix, Bfloat16IsNearFloat32) {
  at::manual_seed(5);
  const at::Tensor matrix = at::randn({40, 70});
  const at::Tensor wanted = orthogonalized(matrix, at::kFloat);
  const at::Tensor found = orthogonalized(matrix, at::kBFloat16);
  EXPECT_EQ(found.scalar_type(), at::kFloat);
  EXPECT_LT((found - wanted).norm().item<double>(), 0.08 * wanted.norm().item<double>());
}

TEST(MuonMatrix, KeepsSingularVectorsAndEvensSingularValues) {
  at::manual_seed(5);
  for (const auto& shape : {std::vector<int64_t>{40, 7}, {7, 40}, {16, 16}, {1, 9}}) {
    const at::Tensor matrix = at::randn(shape) * 1e-7;  // as small as a mean loss's gradients are
    const auto [u, s, v] = at::linalg_svd(matrix.to(at::kDouble), /*full_matrices=*/false);
    const at::Tensor wanted = at::matmul(u * five_steps(s / s.norm()), v);
    const at::Tensor found = orthogonalized(matrix, at::kFloat);
    EXPECT_LT((found - wanted).abs().max().item<double>(), 1e-4);
    const at::Tensor values = std::get<1>(at::linalg_svd(found, false));
    EXPECT_GT(values.min().item<double>(), 0.3);
    EXPECT_LT(values.max().item<double>(), 1.3);
  }
  EXPECT_TRUE(orthogonalized(at::zeros({3, 4}), at::kFloat).eq(0).all().item<bool>());
}

at::Tensor gradient_of(int64_t rows, int64_t columns, int step) {
  const at::Tensor i = at::arange(rows, at::kDouble).unsqueeze(1);
  const at::Tensor j = at::arange(columns, at::kDouble);
  return at::sin(0.37 * step + 1.3 * i + 0.7 * i * j + 0.11 * j).to(at::kFloat);
}

TEST(MuonOptimizer, EqualsTorchs) {
  const std::string path = std::string(SEQUELA_SOURCE_DIR) + "/tests/reference/motor/muon.json";
  const Json numbers = parse_json(read_file(path), path);
  TrainOptions options;
  options.optimizer = OptimizerKind::muon;
  options.muon_scale = 1;
  options.muon_momentum = 0.9;
  options.max_gradient_norm = 0;
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{20, 12}, {12, 20}}) {
    Parameters parameters;
    parameters.items.push_back({"matrix", at::full({rows, columns}, 0.5F), {}, true});
    parameters.zero_gradients();
    Optimizer optimizer(parameters, options, {{"a", 0, 0, 0, rows, true}});
    const Json& steps = numbers.at(str(rows, "x", columns));
    for (int step = 1; step <= static_cast<int>(steps.size()); ++step) {
      parameters.items[0].gradient.copy_(gradient_of(rows, columns, step));
      optimizer.step(1e-2, optimizer.gradient_norm());
      const auto values = steps[step - 1].get<std::vector<float>>();
      const at::Tensor wanted = at::tensor(values).view({rows, columns});
      EXPECT_TRUE(at::allclose(parameters.items[0].value, wanted, 0, 2e-6)) << step;
    }
  }
}
Parameters matrix_and_bias() {
  at::manual_seed(3);
  Parameters parameters;
  parameters.items.push_back({"matrix", at::randn({6, 10}), {}, true});
  parameters.items.push_back({"bias", at::randn({6}), {}, false});
  parameters.zero_gradients();
  return parameters;
}

// Two maps side by side and a bias, which AdamW moves.
const std::vector<ParameterPart> kParts = {
    {"a", 0, 1, 0, 4, true}, {"b", 0, 1, 4, 6, true}, {"b", 1, 0, 0, 6, false}};

TEST(MuonOptimizer, TakesEachMapApartAndLeavesTheRestToAdamW) {
  TrainOptions options;
  options.optimizer = OptimizerKind::muon;
  options.weight_decay = 0;
  Parameters own = matrix_and_bias(), adamws = matrix_and_bias();
  Optimizer optimizer(own, options, kParts);
  TrainOptions plain = options;
  plain.optimizer = OptimizerKind::adamw;
  Optimizer adamw(adamws, plain, kParts);
  for (Parameters* parameters : {&own, &adamws}) {
    parameters->items[0].gradient.copy_(at::arange(60).view({6, 10}).sin());
    parameters->items[1].gradient.fill_(0.25);
  }
  const at::Tensor before = own.items[0].value.clone();
  optimizer.step(1e-2, optimizer.gradient_norm());
  adamw.step(1e-2, adamw.gradient_norm());
  EXPECT_TRUE(at::equal(own.items[1].value, adamws.items[1].value));
  const at::Tensor change = own.items[0].value - before;
  for (const ParameterPart& part : {kParts[0], kParts[1]}) {
    const at::Tensor direction = -own.items[0].gradient.narrow(1, part.start, part.length);
    const at::Tensor wanted =
        orthogonalized(direction, at::kFloat) * (1e-2 * options.muon_scale * 0.2 * std::sqrt(6.0));
    EXPECT_TRUE(at::allclose(change.narrow(1, part.start, part.length), wanted, 1e-4, 1e-6));
  }
  EXPECT_TRUE(at::allclose(optimizer.last_step(0).change, change, 1e-4, 1e-6));
  EXPECT_FALSE(optimizer.last_step(0).root_square.defined());
}

TEST(MuonOptimizer, StateRestoresExactly) {
  TrainOptions options;
  options.optimizer = OptimizerKind::muon;
  Parameters first = matrix_and_bias(), second = matrix_and_bias();
  Optimizer a(first, options, kParts), b(second, options, kParts);
  const auto step = [](Parameters& parameters, Optimizer& optimizer, double phase) {
    for (Parameter& parameter : parameters.items)
      parameter.gradient.copy_(
          (at::arange(parameter.value.numel()) + phase).sin().view_as(parameter.value));
    optimizer.step(1e-2, optimizer.gradient_norm(), 3);
  };
  step(first, a, 0.3);
  for (size_t i = 0; i < 2; ++i) second.items[i].value.copy_(first.items[i].value);
  b.load(a.state(), a.num_steps(), "x");
  step(first, a, 1.2);
  step(second, b, 1.2);
  for (size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(at::equal(first.items[i].value, second.items[i].value));
  EXPECT_EQ(a.state().items.size(), 3u);  // no second moment of the matrix
}

TEST(MuonOptimizer, RefusesAModelThatNamesNoMatrices) {
  TrainOptions options;
  options.optimizer = OptimizerKind::muon;
  Parameters parameters = matrix_and_bias();
  EXPECT_THROW(Optimizer(parameters, options, {{"a", 1, 0, 0, 6, false}}), ConfigError);
  EXPECT_EQ(to_optimizer_kind(to_text(OptimizerKind::muon)), OptimizerKind::muon);
  EXPECT_THROW(to_optimizer_kind("adam"), ConfigError);
}

TEST_F(Muon, AModelsMapsHaveTheirOwnShapes) {
  Motor model = fresh_model();
  const EncoderConfig& encoder = model.config().encoder;
  const MotorTraining training(model, nullptr, nullptr);
  int64_t num_mixers = 0, num_head = 0;
  for (const ParameterPart& part : training.parts()) {
    const Parameter& parameter = model.parameters().items[part.parameter];
    if (!part.is_matrix) continue;
    const at::Tensor map = parameter.value.narrow(part.dimension, part.start, part.length);
    ASSERT_EQ(map.dim(), 2) << parameter.name;
    if (part.kind == "hawk" || part.kind == "attention") {
      ++num_mixers;
      EXPECT_EQ(map.size(0), encoder.hidden_size) << parameter.name;
      EXPECT_EQ(map.size(1), encoder.hidden_size) << parameter.name;
    }
    num_head += part.kind == "head";
    EXPECT_EQ(parameter.name.find("embed"), std::string::npos);
    EXPECT_EQ(parameter.name.find("conv"), std::string::npos);
  }
  // A hawk layer: x, y, out and the mixer's share of output_proj; an attention layer: q, k, v,
  // that.
  EXPECT_EQ(num_mixers, 8);
  EXPECT_EQ(num_head, model.config().motor->num_bins() + 1);
}

TEST_F(Muon, RunsAndGoesOnAsIfItHadNotStopped) {
  TrainOptions options = small_run(folder_ / "whole");
  options.optimizer = OptimizerKind::muon;
  Motor whole = fresh_model();
  run(whole, options);
  TrainOptions resumed = options;
  resumed.folder = folder_ / "from_4";
  std::filesystem::create_directories(resumed.folder);
  std::filesystem::copy(checkpoint_path(options.folder, 4), checkpoint_path(resumed.folder, 4));
  Motor model = fresh_model(9);
  EXPECT_TRUE(run(model, resumed).is_resumed);
  expect_same_weights(model, whole);
}

}  // namespace
}  // namespace sequela
