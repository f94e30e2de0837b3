// The whole way on made-up records, with numbers that every CPU must reach. CTest also runs these
// under emulated CPUs (CMakeLists.txt), where torch and its libraries choose other code.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/encoders/bert/visit_encoder.h"
#include "sequela/pipeline/features.h"
#include "sequela/synth/synth.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/isa.h"
#include "tests/support/npz.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

// The numbers below are of these options.
PrepareOptions files_of(const TestFolder& folder) {
  PrepareOptions options = small_prepare(folder / "files", folder / "synth");
  options.vocab_size = 2'048;
  options.num_tasks = 96;
  options.final_layer_size = 32;
  options.tokens_per_batch = 256;
  return options;
}

PretrainOptions run_of(const TestFolder& folder, Precision precision) {
  PretrainOptions options = small_pretrain(folder / "files", folder / "output", folder / "model");
  options.encoder.hidden_size = 64;
  options.encoder.intermediate_size = 96;
  options.train.max_steps = options.train.eval_every = 3;
  options.train.warmup_steps = 1;
  options.train.learning_rate = 3e-3;
  options.precision = precision;
  return options;
}

// The mean magnitude of all embeddings, and that of the first.
std::pair<double, double> embedded(const TestFolder& folder, Precision precision) {
  FeaturesOptions options;
  options.meds = folder / "synth/meds";
  options.model = folder / "model";
  options.labels = folder / "synth/labels.parquet";
  options.out = folder / "features";
  options.precision = precision;
  options.device = "cpu";
  compute_features(options);
  const NpzFile file(options.out + "/features.npz");
  const auto array = file.get<float>("features");
  double sum = 0, first = 0;
  for (size_t i = 0; i < array.values.size(); ++i) {
    sum += std::abs(array.values[i]);
    if (i < 64) first += std::abs(array.values[i]);
  }
  return {sum / static_cast<double>(array.values.size()), first / 64};
}

class EveryCpu : public testing::TestWithParam<Isa> {};

TEST_P(EveryCpu, TrainsAndEmbedsToTheSameNumbers) {
  const WithIsa with_isa(GetParam());
  const TestFolder folder;
  synth({.num_subjects = 8, .seed = 5, .folder = folder / "synth"});
  prepare(files_of(folder));
  constexpr double kLoss = 0.634398, kMean = 0.787189, kFirst = 0.782825;  // by float32
  for (const auto& [precision, bound] :
       {std::pair{Precision::fp32, 1e-4}, {Precision::bf16, 1e-2}}) {
    const PretrainReport report = pretrain(run_of(folder, precision));
    EXPECT_NEAR(report.train.best_loss, kLoss, kLoss * bound);
    const auto [mean, first] = embedded(folder, precision);
    EXPECT_NEAR(mean, kMean, kMean * bound);
    EXPECT_NEAR(first, kFirst, kFirst * bound);
  }
}

TEST_P(EveryCpu, EncodesToTheSameNumbersInEveryPrecision) {
  const WithIsa with_isa(GetParam());
  BertConfig config;
  config.vocab_size = 120;
  config.hidden_size = 64;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 2;
  config.intermediate_size = 160;
  config.max_position_embeddings = 24;
  config.initializer_range = 0.1;
  const NamedTensors weights = random_bert_weights(config, 11);
  const at::Tensor ids = at::arange(1, 81, at::kLong).view({4, 20});
  for (const auto& [precision, bound] : {std::pair{BertPrecision::float32, 1e-4},
                                         {BertPrecision::bfloat16, 1e-2},
                                         {BertPrecision::int8, 1e-2}}) {
    const VisitEncoder encoder(BertModel(config, weights, precision), {});
    const at::Tensor embeddings = encoder.encode_visit(ids);
    EXPECT_NEAR(embeddings.abs().mean().item<double>(), 0.5425364, 0.5425364 * bound);
    EXPECT_NEAR(embeddings[0].abs().mean().item<double>(), 0.5533396, 0.5533396 * bound);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, EveryCpu, testing::ValuesIn(runnable_isas()),
                         [](const auto& info) { return to_text(info.param); });

}  // namespace
}  // namespace sequela
