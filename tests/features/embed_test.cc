// embed()'s own promises, apart from femr's numbers.
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "tests/features/tutorial.h"

namespace sequela {
namespace {

constexpr int64_t kDayUs = kMicrosPerDay;

double difference(const Embedded& a, size_t i, const Embedded& b, size_t j) {
  double worst = 0;
  for (int64_t k = 0; k < a.width; ++k) {
    worst = std::max<double>(worst, std::abs(a.row(i)[k] - b.row(j)[k]));
  }
  return worst;
}

Subject first_that_ends_in_a_token(const Tutorial& tutorial) {
  std::vector<BagEntry> bag;
  for (int64_t i = 0;; ++i) {
    const Subject subject = tutorial.store.subject(i);
    tutorial.tokenizer.append_bag(subject, subject.num_events - 1, bag);
    if (!bag.empty()) return subject;
  }
}

TEST(Embed, SaysWhatBecameOfEachLabel) {
  Tutorial tutorial("motor_model");
  const Subject subject = first_that_ends_in_a_token(tutorial);
  const int64_t last_us = subject.time_us(subject.num_events - 1);
  const std::vector<Label> labels = {{subject.id, last_us},
                                     {1'000'000'007, last_us},
                                     {subject.id, subject.birth_us},
                                     {subject.id, subject.birth_us - 400 * kDayUs},
                                     {subject.id, last_us + 9'000 * kDayUs}};
  const Embedded result = tutorial.embed(labels, 512);
  EXPECT_EQ(result.states,
            (std::vector<LabelState>{LabelState::embedded, LabelState::unknown_subject,
                                     LabelState::before_first_event, LabelState::before_first_event,
                                     LabelState::embedded}));
  EXPECT_EQ(result.report.num_embedded, 2);
  EXPECT_EQ(result.report.num_windows, 1);
  EXPECT_EQ(result.report.num_subjects, 1);
  EXPECT_EQ(result.feature_seconds[0], last_us / kMicrosPerSecond);
  EXPECT_EQ(result.feature_seconds[4], last_us / kMicrosPerSecond);
  EXPECT_EQ(difference(result, 0, result, 4), 0);
  for (const size_t i : {1, 2, 3}) EXPECT_TRUE(std::isnan(result.row(i)[0]));
}

TEST(Embed, RowsFollowTheLabelsWhateverTheirOrder) {
  Tutorial tutorial("motor_model");
  std::vector<Label> labels = read_labels(reference_path("motor/features/labels_multi.parquet"));
  const Embedded forward = tutorial.embed(labels, 256);
  std::ranges::reverse(labels);
  const Embedded backward = tutorial.embed(labels, 256);
  const size_t last = labels.size() - 1;
  for (size_t i = 0; i <= last; ++i) {
    ASSERT_EQ(forward.states[i], backward.states[last - i]);
    if (forward.states[i] != LabelState::embedded) continue;
    EXPECT_EQ(forward.feature_seconds[i], backward.feature_seconds[last - i]);
    EXPECT_LT(difference(forward, i, backward, last - i), 1e-5);
  }
}

TEST(Embed, BatchSizeChangesNothingWhileTheHistoryFits) {
  Tutorial tutorial("motor_model");
  const std::vector<Label> labels = read_labels(Tutorial::path("labels.parquet"));
  const Embedded small = tutorial.embed(labels, 40);  // the longest record has 33 events
  const Embedded large = tutorial.embed(labels, 8'192);
  for (size_t i = 0; i < labels.size(); ++i) {
    ASSERT_EQ(small.states[i], LabelState::embedded);
    EXPECT_LT(difference(small, i, large, i), 1e-5);
  }
}

TEST(Embed, LooksAtNothingAfterThePredictionTime) {
  Tutorial tutorial("motor_model");
  const std::vector<Label> labels =
      read_labels(reference_path("motor/features/labels_multi.parquet"));
  const Embedded together = tutorial.embed(labels, 1'024);
  for (size_t i = 0; i < labels.size(); i += 40) {
    const Embedded alone = tutorial.embed({labels[i]}, 1'024);
    ASSERT_EQ(alone.states[0], together.states[i]);
    if (alone.states[0] == LabelState::embedded) {
      EXPECT_LT(difference(alone, 0, together, i), 1e-5);
    }
  }
}

// A device whose memory holds 60 tokens at a time.
TEST(Embed, HalvesWhatMemoryDoesNotHold) {
  Tutorial tutorial("motor_model");
  const std::vector<Label> labels = read_labels(Tutorial::path("labels.parquet"));
  const Embedded whole = tutorial.embed(labels, 40);
  std::vector<std::string> warnings;
  set_log_sink([&](LogLevel level, const std::string& message) {
    if (level == LogLevel::warning) warnings.push_back(message);
  });
  tutorial.model.set_observer([](const std::string&, const at::Tensor& value) {
    if (value.size(0) > 60)
      throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "CUDA out of memory.");
  });
  const Embedded halved = tutorial.embed(labels, 200);
  set_log_sink(nullptr);
  for (size_t i = 0; i < labels.size(); ++i) {
    ASSERT_EQ(halved.states[i], LabelState::embedded);
    EXPECT_LT(difference(halved, i, whole, i), 1e-5);
  }
  ASSERT_FALSE(warnings.empty());
  // Each size that is too large is told once.
  EXPECT_EQ(std::set(warnings.begin(), warnings.end()).size(), warnings.size());
  EXPECT_NE(warnings[0].find("--tokens-per-batch"), std::string::npos);

  tutorial.model.set_observer([](const std::string&, const at::Tensor&) {
    throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "CUDA out of memory.");
  });
  EXPECT_THROW(tutorial.embed(labels, 200), c10::OutOfMemoryError);
}

TEST(Embed, TakesNoLabels) {
  Tutorial tutorial("clmbr_model");
  EXPECT_EQ(tutorial.embed({}, 128).report.num_embedded, 0);
}

TEST(Embed, RefusesBatchesOfOneToken) {
  EmbedOptions options;
  options.tokens_per_batch = 1;
  EXPECT_THROW(options.validate(), ConfigError);
}

}  // namespace
}  // namespace sequela
