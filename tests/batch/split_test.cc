#include "sequela/batch/split.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/model/cuda_twin_model.h"

namespace sequela {
namespace {

// Sequences of 1, 70, 129, 33 and 200 tokens.
TEST(Split, GivesWholeSequencesOfAboutTheSameNumberOfTokens) {
  const std::vector<MotorBatch> parts = split_batch(twin_batch(), 2);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_TRUE(parts[0].inputs.lengths_S.equal(at::tensor({1, 70, 129, 33}, at::kInt)));
  EXPECT_TRUE(parts[1].inputs.lengths_S.equal(at::tensor({200}, at::kInt)));
}

TEST(Split, PutTogetherThePartsAreTheBatch) {
  const MotorBatch batch = twin_batch();
  for (const int64_t most : {1, 2, 3, 5, 100}) {
    SCOPED_TRACE(most);
    const std::vector<MotorBatch> parts = split_batch(batch, most);
    EXPECT_LE(static_cast<int64_t>(parts.size()), std::min<int64_t>(most, 5));
    std::vector<at::Tensor> ids, weights, ages, times, labels, censor, tasks, events;
    int64_t tokens = 0;
    for (const MotorBatch& part : parts) {
      ids.push_back(part.inputs.token_ids_N);
      weights.push_back(part.inputs.token_weights_N);
      ages.push_back(part.inputs.ages_days_T);
      times.push_back(part.inputs.time_data_T5);
      labels.push_back(part.inputs.label_indices_L + tokens);
      censor.push_back(part.targets.censor_seconds_L);
      tasks.push_back(part.targets.task_ids_Z);
      events.push_back(part.targets.event_seconds_Z);
      tokens += part.inputs.ages_days_T.size(0);
      EXPECT_EQ(part.inputs.token_offsets_T1[0].item<int>(), 0);
      EXPECT_EQ(part.inputs.token_offsets_T1[-1].item<int64_t>(), part.inputs.token_ids_N.size(0));
      EXPECT_EQ(part.targets.row_offsets_L1[0].item<int>(), 0);
      EXPECT_EQ(part.targets.row_offsets_L1[-1].item<int64_t>(), part.targets.task_ids_Z.size(0));
    }
    EXPECT_TRUE(at::cat(ids).equal(batch.inputs.token_ids_N));
    EXPECT_TRUE(at::cat(weights).equal(batch.inputs.token_weights_N));
    EXPECT_TRUE(at::cat(ages).equal(batch.inputs.ages_days_T));
    EXPECT_TRUE(at::cat(times).equal(batch.inputs.time_data_T5));
    EXPECT_TRUE(at::cat(labels).equal(batch.inputs.label_indices_L));
    EXPECT_TRUE(at::cat(censor).equal(batch.targets.censor_seconds_L));
    EXPECT_TRUE(at::cat(tasks).equal(batch.targets.task_ids_Z));
    EXPECT_TRUE(at::cat(events).equal(batch.targets.event_seconds_Z));
  }
}

// Half of a batch is less than all of it: who halves comes to an end.
TEST(Split, HalvesAShortSequenceBeforeALongOneAndTheOtherWayRound) {
  for (const std::vector<int64_t>& lengths :
       {std::vector<int64_t>{1, 99}, {99, 1}, {1, 1, 98}, {98, 1, 1}, {30, 40, 30}}) {
    const int64_t num_tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
    BatchInputs inputs;
    inputs.lengths_S = at::tensor(lengths);
    inputs.subject_ids_S = at::arange(static_cast<int64_t>(lengths.size()));
    inputs.token_ids_N = at::arange(num_tokens);
    inputs.ages_days_T = at::arange(num_tokens, at::kFloat);
    inputs.time_data_T5 = at::zeros({num_tokens, 5});
    inputs.timestamps_T = at::arange(num_tokens);
    inputs.label_indices_L = at::arange(num_tokens, at::kInt);
    const std::vector<InputsPart> parts = split_inputs(inputs, 2);
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].inputs.token_ids_N.size(0) + parts[1].inputs.token_ids_N.size(0), 100);
    EXPECT_LT(parts[0].inputs.lengths_S.size(0), inputs.lengths_S.size(0));
  }
}

TEST(Split, KnowsBatchesOfOneIdATokenAndPartsWithoutLabels) {
  MotorBatch batch = twin_batch();
  batch.inputs.token_ids_N = batch.inputs.token_ids_N.narrow(0, 0, 433).contiguous();
  batch.inputs.token_weights_N = at::Tensor();
  batch.inputs.token_offsets_T1 = at::Tensor();
  const std::vector<MotorBatch> parts = split_batch(batch, 433);
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0].inputs.token_ids_N.size(0), 1);
  EXPECT_FALSE(parts[0].inputs.token_offsets_T1.defined());
  EXPECT_EQ(parts[0].inputs.label_indices_L.size(0), 0);
  EXPECT_EQ(parts[0].targets.row_offsets_L1.size(0), 1);
}

}  // namespace
}  // namespace sequela
