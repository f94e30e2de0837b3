// Labels and options that fine-tuning passes over or refuses.
#include <cmath>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/pipeline/finetune.h"
#include "tests/pipeline/finetune_run.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

using FinetuneLabels = FinetuneTest;

TEST_F(FinetuneLabels, LabelsWithoutAHistoryOrAValueArePassedOver) {
  FinetuneOptions options = small_run("tuned");
  std::vector<Label> some = labels(51, 52);
  some[0].value = std::nan("");
  some.push_back({999, year_us(2000), 1});
  some.push_back({53, year_us(1950), 1});
  options.predict = label_file("some.parquet", some);
  const FinetuneReport report = finetune(options);
  EXPECT_EQ(report.num_predicted, 6);
  EXPECT_EQ(report.num_skipped[static_cast<int>(LabelState::unknown_subject)], 1);
  EXPECT_EQ(report.num_skipped[static_cast<int>(LabelState::before_first_event)], 1);
  EXPECT_TRUE(std::isnan(report.auroc));
  const std::vector<Row> rows = read_predictions(options.predictions);
  EXPECT_FALSE(rows[0].is_known);
  EXPECT_TRUE(rows[1].is_known);
}

TEST_F(FinetuneLabels, NothingToPredictIsToldAfterTheBundleIsThere) {
  FinetuneOptions options = small_run("tuned");
  options.predict = label_file("unknown.parquet", {{999, year_us(2000), 1}});
  EXPECT_THROW(finetune(options), DataError);
  options.predict = label_file("others.parquet", labels(51, 80));
  const FinetuneReport report = finetune(options);
  EXPECT_TRUE(report.is_up_to_date);
  EXPECT_EQ(report.num_predicted, 90);
}

class BadFinetune : public FinetuneTest {
 protected:
  // The message of the error, which is one line.
  template <class Failure>
  std::string refused(const FinetuneOptions& options) {
    try {
      finetune(options);
    } catch (const Failure& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_FALSE(fs::exists(options.out));
      return message;
    }
    ADD_FAILURE() << "was not refused";
    return "";
  }

  std::string refused_labels(const std::vector<Label>& labels) {
    FinetuneOptions options = small_run("tuned");
    options.labels = label_file("bad.parquet", labels);
    return refused<DataError>(options);
  }
};

TEST_F(BadFinetune, LabelsThatTeachNothing) {
  std::vector<Label> bad = labels(1, 20);
  bad[7].value = std::nan("");
  EXPECT_NE(refused_labels(bad).find("subject 3"), std::string::npos);
  bad = labels(1, 20);
  for (Label& label : bad) label.value = 1;
  EXPECT_NE(refused_labels(bad).find("same outcome"), std::string::npos);
  bad = labels(1, 20);
  for (Label& label : bad) label.subject_id += 1'000;
  EXPECT_NE(refused_labels(bad).find("history"), std::string::npos);
  bad = labels(1, 20);
  for (Label& label : bad) label.prediction_time_us = year_us(1950);
  EXPECT_NE(refused_labels(bad).find("history"), std::string::npos);
  EXPECT_NE(refused_labels({}).find("history"), std::string::npos);
}

TEST_F(BadFinetune, OptionsThatContradict) {
  const auto expect_refused = [&](auto change) {
    FinetuneOptions options = small_run("tuned");
    change(options);
    refused<ConfigError>(options);
  };
  expect_refused([](FinetuneOptions& o) { o.meds.clear(); });
  expect_refused([](FinetuneOptions& o) { o.labels.clear(); });
  expect_refused([](FinetuneOptions& o) { o.predictions.clear(); });
  expect_refused([](FinetuneOptions& o) { o.predict.clear(); });
  expect_refused([](FinetuneOptions& o) { o.val_fraction = 1; });
  expect_refused([](FinetuneOptions& o) { o.lora_rank = 0; });
  expect_refused([](FinetuneOptions& o) { o.train.patience = -1; });
  expect_refused([](FinetuneOptions& o) { o.train.loss_scale = LossScale::events; });
  EXPECT_THROW(to_tuning("some"), ConfigError);
  EXPECT_THROW(to_classifier_start("zero"), ConfigError);
  EXPECT_THROW(to_finetune_selection("auc"), ConfigError);
}

}  // namespace
}  // namespace sequela
