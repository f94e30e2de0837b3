// The loss of labelled records and its gradient, through the classifier and the backbone.
#include "sequela/pipeline/finetuning/classifier_training.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <map>
#include <numeric>

#include "sequela/model/model_dir.h"
#include "tests/pipeline/finetune_run.h"

namespace sequela {
namespace {

class ClassifierTrainingTest : public FinetuneTest {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    std::vector<Label> all = labels(1, 12);
    for (const int64_t day : {1, 2}) {  // further labels of the same token
      const Label& first = all[4];
      all.push_back({first.subject_id, first.prediction_time_us + day * kMicrosPerDay, 1});
    }
    records_ = read(label_file("train.parquet", all));
    empty_ = read(label_file("none.parquet", {}));
    ModelDir dir = read_model_dir(*files_ / "pretrained");
    model_ =
        std::make_unique<Motor>(dir.config, std::move(dir.parameters), at::kCPU, Precision::fp32);
    std::vector<float> weights(32);
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = 0.3F * std::sin(1.0F + i);
    classifier_.set(weights, 0.2);
  }

  std::unique_ptr<RecordBatches> read(const std::string& labels) const {
    FeaturesOptions options;
    options.meds = *files_ / "meds";
    options.model = *files_ / "pretrained";
    options.labels = labels;
    options.out = folder_ / "work";
    options.tokens_per_batch = 256;
    return std::make_unique<RecordBatches>(options);
  }

  ClassifierTraining training(Tuning tuning) {
    return {*model_, classifier_, tuning, nullptr, *records_, *records_};
  }

  // Mean loss over the batches, with gradients or without.
  static double pass(ClassifierTraining& training, TrainPart part, std::optional<double> scale) {
    std::vector<int64_t> order(training.num_batches(part));
    std::iota(order.begin(), order.end(), 0);
    const auto pass = training.start_pass({part, order});
    double sum = 0;
    while (const auto loss = pass->next(scale)) sum += loss->loss.item<double>();
    return sum / static_cast<double>(order.size());
  }

  // Compares each gradient that is no noise with the loss's slope along it, by differences of
  // fourth order. How many they are.
  static int check_slopes(ClassifierTraining& training) {
    int num_checked = 0;
    for (Parameter& item : training.parameters().items) {
      const double norm = item.gradient.norm().item<double>();
      if (norm < 1e-3) continue;
      const at::Tensor start = item.value.clone();
      const auto loss_at = [&](double step) {
        item.value.copy_(start + item.gradient * (step / norm));
        training.refresh_weights();
        return pass(training, TrainPart::train, std::nullopt);
      };
      const double step = 2e-2;
      const double slope =
          (8 * (loss_at(step) - loss_at(-step)) - (loss_at(2 * step) - loss_at(-2 * step))) /
          (12 * step);
      item.value.copy_(start);
      EXPECT_NEAR(slope, norm, 1e-2 * norm + 1e-5) << item.name;
      ++num_checked;
    }
    return num_checked;
  }

  std::unique_ptr<RecordBatches> records_, empty_;
  std::unique_ptr<Motor> model_;
  Classifier classifier_{32, at::kCPU};
};

TEST_F(ClassifierTrainingTest, LossIsTheMeanOverTheLabels) {
  ClassifierTraining all = training(Tuning::all);
  ASSERT_GT(all.num_batches(TrainPart::train), 1);
  ASSERT_EQ(all.num_labels(TrainPart::train), 38);
  double sum = 0;
  for (const LabelStates& batch : all.train_states()) {
    const std::vector<double> logits = classifier_.logits(batch.states_LH);
    for (size_t i = 0; i < logits.size(); ++i) {
      const double sign = records_->labels()[batch.labels[i]].value > 0 ? -1 : 1;
      sum += std::log1p(std::exp(sign * logits[i]));
    }
  }
  EXPECT_NEAR(pass(all, TrainPart::train, std::nullopt), sum / 38, 1e-6);
  EXPECT_NEAR(pass(all, TrainPart::train, 0.5), sum / 38, 1e-5);  // by the layers of training
  ClassifierTraining head = training(Tuning::head);
  EXPECT_NEAR(pass(head, TrainPart::validation, std::nullopt), sum / 38, 1e-6);
}

TEST_F(ClassifierTrainingTest, GradientIsTheSlopeOfTheLoss) {
  ClassifierTraining all = training(Tuning::all);
  const auto batches = static_cast<double>(all.num_batches(TrainPart::train));
  pass(all, TrainPart::train, 1 / batches);
  EXPECT_GE(check_slopes(all), 12);
}

TEST_F(ClassifierTrainingTest, TheClassifiersGradientIsTheSameInBothWays) {
  std::map<Tuning, at::Tensor> gradients;
  for (const Tuning tuning : {Tuning::all, Tuning::head}) {
    ClassifierTraining one = training(tuning);
    one.parameters().zero_gradients();
    pass(one, TrainPart::train, 1.0);
    gradients[tuning] = one.parameters().get("classifier.weight").gradient.clone();
    EXPECT_EQ(one.parameters().items.size() == 2, tuning == Tuning::head);
  }
  EXPECT_TRUE(at::allclose(gradients[Tuning::all], gradients[Tuning::head], 1e-4, 1e-6));
}

TEST_F(ClassifierTrainingTest, LowRankGradientsAreTheSlopesOfTheLoss) {
  LowRank low_rank(model_->parameters(), 2, 1);
  for (const Parameter& item : low_rank.factors().items) {
    at::Tensor value = item.value;
    value.add_(0.1 * at::sin(at::arange(value.numel())).view(value.sizes()));
  }
  ClassifierTraining lora(*model_, classifier_, Tuning::lora, &low_rank, *records_, *empty_);
  lora.refresh_weights();
  pass(lora, TrainPart::train, 1.0 / static_cast<double>(lora.num_batches(TrainPart::train)));
  EXPECT_GE(check_slopes(lora), 10);
}

TEST_F(ClassifierTrainingTest, KnowsTheAurocOfAPass) {
  ClassifierTraining all = training(Tuning::all);
  pass(all, TrainPart::validation, std::nullopt);
  const double before = all.validation_figures().at(0).value;
  classifier_.parameters().items[0].value.neg_();
  pass(all, TrainPart::validation, std::nullopt);
  EXPECT_NEAR(all.validation_figures().at(0).value, 1 - before, 1e-12);
  ClassifierTraining without(*model_, classifier_, Tuning::all, nullptr, *records_, *empty_);
  EXPECT_TRUE(without.validation_figures().empty());
}

}  // namespace
}  // namespace sequela
