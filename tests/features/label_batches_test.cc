#include "sequela/features/label_batches.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/features/tutorial.h"

namespace sequela {
namespace {

// Hidden states of the labels, and how often each label came.
struct Read {
  std::vector<at::Tensor> row_H;
  std::vector<int> num_times;
};

Read read_all(Motor& model, const LabelBatches& batches, size_t num_labels) {
  Read read{std::vector<at::Tensor>(num_labels), std::vector<int>(num_labels)};
  for (int64_t b = batches.num_batches(); b-- > 0;) {
    const LabelBatches::Batch batch = batches.read(b);
    const at::Tensor rows_L = batch.inputs.label_indices_L.to(at::kLong);
    const at::Tensor states_LH = model.encode(batch.inputs, rows_L);
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      ++read.num_times[batch.labels[i]];
      read.row_H[batch.labels[i]] = states_LH[static_cast<int64_t>(i)];
    }
  }
  return read;
}

// 16 tokens are fewer than many a record has: windows overlap, and subjects take several batches.
TEST(LabelBatches, HoldEachEmbeddedLabelOnceWithItsEmbedding) {
  Tutorial tutorial("motor_model");
  std::vector<Label> labels = read_labels(reference_path("motor/features/labels_multi.parquet"));
  labels.push_back({1'000'000'007, labels[0].prediction_time_us});
  for (const int64_t tokens : {16, 256}) {
    const Embedded expected = tutorial.embed(labels, tokens);
    std::vector<LabelState> states(labels.size());
    const LabelBatches batches(tutorial.store, tutorial.tokenizer, tutorial.vocabulary.age_stats,
                               labels, tokens, states.data());
    EXPECT_EQ(states, expected.states);
    EXPECT_GT(batches.num_batches(), 1);
    const Read read = read_all(tutorial.model, batches, labels.size());
    for (size_t i = 0; i < labels.size(); ++i) {
      ASSERT_EQ(read.num_times[i], states[i] == LabelState::embedded ? 1 : 0);
      if (states[i] != LabelState::embedded) continue;
      for (int64_t k = 0; k < expected.width; ++k)
        EXPECT_NEAR(read.row_H[i][k].item<float>(), expected.row(i)[k], 1e-5);
    }
  }
}

TEST(LabelBatches, KeepToTheirSize) {
  Tutorial tutorial("motor_model");
  const std::vector<Label> labels =
      read_labels(reference_path("motor/features/labels_multi.parquet"));
  std::vector<LabelState> states(labels.size());
  const LabelBatches batches(tutorial.store, tutorial.tokenizer, tutorial.vocabulary.age_stats,
                             labels, 40, states.data());
  for (int64_t b = 0; b < batches.num_batches(); ++b)
    EXPECT_LE(batches.read(b).inputs.ages_days_T.size(0), 40);
}

TEST(LabelBatches, WithoutLabelsThereAreNone) {
  Tutorial tutorial("motor_model");
  const LabelBatches batches(tutorial.store, tutorial.tokenizer, tutorial.vocabulary.age_stats, {},
                             40, nullptr);
  EXPECT_EQ(batches.num_batches(), 0);
}

}  // namespace
}  // namespace sequela
