// The progression model in the training loop, and its pretrained embeddings.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/encoders/progression/pretrained_embeddings.h"
#include "sequela/encoders/progression/progression_model.h"
#include "sequela/encoders/progression/progression_training.h"
#include "sequela/io/npz_file.h"
#include "sequela/train/checkpoint.h"
#include "sequela/train/trainer.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

constexpr int64_t kVocabulary = 20;

ProgressionConfig tiny() {
  return {.vocab_size = kVocabulary,
          .code_embed_dim = 8,
          .visit_embed_dim = 8,
          .hidden_dim = 12,
          .num_stages = 2,
          .num_layers = 2};
}

// Patients whose stage is 1 from the first visit with code 7 on.
ProgressionData planted_data(int64_t num_patients, uint64_t seed) {
  ProgressionData data;
  PatientVisits& visits = data.visits;
  Random random(seed);
  for (int64_t patient = 0; patient < num_patients; ++patient) {
    const auto num_visits = static_cast<int64_t>(random.below(5)) + 1;
    bool has_met = false;
    for (int64_t visit = 0; visit < num_visits; ++visit) {
      const auto num_codes = static_cast<int64_t>(random.below(4)) + 1;
      for (int64_t i = 0; i < num_codes; ++i) {
        const auto code = static_cast<int32_t>(random.below(kVocabulary - 1)) + 1;
        visits.codes.push_back(code);
        has_met = has_met || code == 7;
      }
      visits.code_offsets.push_back(static_cast<int64_t>(visits.codes.size()));
      visits.visit_times_us.push_back(86'400'000'000 * (100 * patient + 10 * visit));
      visits.visit_end_times_us.push_back(visits.visit_times_us.back());
      data.stages.push_back(has_met ? 1 : 0);
    }
    visits.subject_ids.push_back(patient);
    visits.visit_offsets.push_back(static_cast<int64_t>(data.stages.size()));
  }
  return data;
}

TrainOptions short_run(const std::string& folder, int64_t max_steps) {
  TrainOptions options;
  options.folder = folder;
  options.learning_rate = 1e-2;
  options.beta2 = 0.999;
  options.warmup_steps = 0;
  options.max_steps = max_steps;
  options.epochs = 1000;
  options.accumulate = 2;
  options.eval_every = 20;
  options.patience = 0;
  return options;
}

at::Tensor flat(const Parameters& parameters) {
  std::vector<at::Tensor> parts;
  for (const Parameter& item : parameters.items) parts.push_back(item.value.flatten());
  return at::cat(parts);
}

TEST(ProgressionTraining, LearnsAndRepeatsExactlyAfterAStop) {
  const TestFolder folder;
  const ProgressionData train_data = planted_data(96, 1), valid_data = planted_data(64, 2);
  const auto fresh = [&] {
    return ProgressionTraining(tiny(), init_progression_parameters(tiny(), 3), &train_data,
                               &valid_data, {.batch_size = 10});
  };
  ProgressionTraining whole = fresh();
  const double before = evaluate(whole);
  const TrainReport report = train(whole, short_run(folder / "whole", 120), "key");
  EXPECT_TRUE(report.is_finished);
  EXPECT_LT(report.best_loss, 0.5 * before);

  // The same run, going on from the checkpoint of step 60 (in the middle of an epoch).
  TrainOptions options = short_run(folder / "again", 120);
  std::filesystem::create_directories(folder / "again");
  std::filesystem::copy(checkpoint_path(folder / "whole", 100),
                        checkpoint_path(folder / "again", 100),
                        std::filesystem::copy_options::recursive);
  ProgressionTraining rest = fresh();
  const TrainReport resumed = train(rest, options, "key");
  EXPECT_TRUE(resumed.is_resumed);
  if (report.best_step >= 100) {
    EXPECT_TRUE(at::equal(flat(whole.all_parameters()), flat(rest.all_parameters())));
  }
  EXPECT_EQ(report.eval_losses.back(), resumed.eval_losses.back());
  const at::Tensor odds = whole.predict(valid_data.visits);
  EXPECT_EQ(odds.size(0), 64);
  EXPECT_NEAR(odds.sum().item<double>(), 64, 1e-3);
}

TEST(ProgressionTraining, FrozenEmbeddingsStayAndGroupsHaveTheirRate) {
  const TestFolder folder;
  const ProgressionData data = planted_data(40, 1);
  const Parameters start = init_progression_parameters(tiny(), 3);
  const auto table = [](const Parameters& parameters) {
    return parameters.get("encoder.code_embeddings.weight").value;
  };
  ProgressionTraining frozen(tiny(), init_progression_parameters(tiny(), 3), &data, nullptr,
                             {.batch_size = 10, .frozen = {"code_embeddings"}});
  EXPECT_EQ(frozen.parameters().find("encoder.code_embeddings.weight"), nullptr);
  train(frozen, short_run(folder / "frozen", 4), "key");
  EXPECT_TRUE(at::equal(table(frozen.all_parameters()), table(start)));

  TrainOptions options = short_run(folder / "groups", 1);
  options.weight_decay = 0;
  options.groups = {{"code_embeddings", 0.01}};
  ProgressionTraining tuned(tiny(), init_progression_parameters(tiny(), 3), &data, nullptr,
                            {.batch_size = 10});
  train(tuned, options, "key");
  // Adam's first step is the learning rate for every weight that has a gradient.
  const at::Tensor moved = (table(tuned.all_parameters()) - table(start)).abs();
  EXPECT_NEAR(moved.max().item<double>(), 1e-4, 1e-6);
  EXPECT_EQ(moved[0].max().item<double>(), 0);
  const at::Tensor bias = (tuned.all_parameters().get("stage_classifier.bias").value -
                           start.get("stage_classifier.bias").value)
                              .abs();
  EXPECT_NEAR(bias.max().item<double>(), 1e-2, 1e-4);
  EXPECT_THROW(ProgressionTraining(tiny(), init_progression_parameters(tiny(), 3), &data, nullptr,
                                   {.frozen = {""}}),
               ConfigError);
}

TEST(ProgressionTraining, CheckpointsAndBf16GiveNearlyTheSameGradients) {
  const ProgressionData data = planted_data(30, 1);
  const auto gradients = [&](const ProgressionTrainingOptions& options) {
    ProgressionConfig config = tiny();
    config.dropout = 0;
    ProgressionTraining model(config, init_progression_parameters(config, 3), &data, nullptr,
                              options);
    model.start_pass({TrainPart::train, {0}, 5})->next(1.0);
    std::vector<at::Tensor> parts;
    for (const Parameter& item : model.parameters().items) parts.push_back(item.gradient.flatten());
    return at::cat(parts);
  };
  const at::Tensor plain = gradients({.batch_size = 30});
  const double size = plain.norm().item<double>();
  EXPECT_GT(size, 0);
  EXPECT_LT((plain - gradients({.batch_size = 30, .use_checkpoint = true})).norm().item<double>(),
            1e-5 * size);
  EXPECT_LT((plain - gradients({.batch_size = 30, .use_bf16 = true})).norm().item<double>(),
            0.03 * size);
}

TEST(PretrainedEmbeddings, ScaleOfARandomStart) {
  const at::Tensor table =
      at::tensor({0.0, 0.0, 0.03, -0.05, 0.01, 0.02}).to(at::kFloat).view({3, 2});
  const at::Tensor scaled = scale_like_random_start(table);
  EXPECT_NEAR(scaled.square().mean().item<double>(), 1, 1e-6);
  EXPECT_TRUE(at::allclose(scaled, scale_like_random_start(table * 7)));
  EXPECT_TRUE(at::equal(scale_like_random_start(at::zeros({3, 2})), at::zeros({3, 2})));
}

class TablesOfPeer : public OnReference {};

TEST_P(TablesOfPeer, ComeFromFoldersAndExtractedTables) {
  const TestFolder folder;
  const std::string bert = reference_path("bert/e_lstm");
  const at::Tensor table = read_embedding_table(bert);
  const ProgressionConfig peer = ProgressionConfig::read(bert + "/config.json");
  const int64_t width = peer.code_embed_dim;
  EXPECT_EQ(table.sizes(), (std::vector<int64_t>{500, width}));
  EXPECT_TRUE(at::equal(table, read_embedding_table(bert + "/model.pt")));

  {
    NpzWriter npz(folder / "table.npz");
    npz.add_texts("codes", {"a", "b"});
    npz.begin_array("embeddings", NpyType::float32, {2, 3});
    npz.append(std::vector<float>{1, 2, 3, 4, 5, 6});
    npz.finish();
  }
  EXPECT_TRUE(at::equal(read_embedding_table(folder / "table.npz"),
                        at::arange(1, 7, at::kFloat).view({2, 3})));

  ProgressionConfig config = tiny();
  config.vocab_size = 500;
  config.code_embed_dim = width;
  Parameters parameters = init_progression_parameters(config, 1);
  load_pretrained_embeddings(parameters, at::ones({500, width}));
  const at::Tensor loaded = parameters.get("encoder.code_embeddings.weight").value;
  EXPECT_EQ(loaded[0].abs().sum().item<float>(), 0);
  EXPECT_EQ(loaded.sum().item<float>(), 499 * width);

  EXPECT_THROW(load_pretrained_embeddings(parameters, at::ones({400, width})), ConfigError);
  EXPECT_THROW(
      load_pretrained_embeddings(parameters, at::ones({500, width / 2}), EmbeddingResize::resize),
      ConfigError);
  EXPECT_EQ(load_pretrained_embeddings(parameters, at::ones({400, width}), EmbeddingResize::resize),
            400);
  EXPECT_EQ(parameters.get("encoder.code_embeddings.weight").value.size(0), 400);
  EXPECT_THROW(read_embedding_table(folder / "missing"), FileError);
}

SEQUELA_ON_REFERENCES(TablesOfPeer);

}  // namespace
}  // namespace sequela
