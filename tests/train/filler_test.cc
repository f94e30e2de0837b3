#include "sequela/batch/filler.h"

#include "sequela/nn/gemm.h"
#include "tests/train/fixture.h"

namespace sequela {
namespace {

using Filler = TrainTest;

at::Tensor gradients_of(Motor& model, const MotorBatch& batch, double* loss) {
  model.parameters().zero_gradients();
  *loss = model.loss(batch, 1.0).item<double>();
  return model.parameters().flat_gradients.clone();
}

TEST_F(Filler, LossAndGradientsStayAsTheyAre) {
  Motor model = fresh_model();
  const MotorBatch batch = data_->train().read(3);
  MotorBatch filled = batch;
  fill_up(filled.inputs);
  const int64_t tokens = batch.inputs.ages_days_T.size(0);
  ASSERT_GT(filled.inputs.ages_days_T.size(0), tokens);

  double loss = 0, filled_loss = 0;
  const at::Tensor wanted = gradients_of(model, batch, &loss);
  const at::Tensor found = gradients_of(model, filled, &filled_loss);
  EXPECT_NEAR(filled_loss, loss, 1e-6 * loss);
  EXPECT_LT((found - wanted).norm().item<double>(), 1e-6 * wanted.norm().item<double>());
  const at::Tensor states = model.encode(filled.inputs).narrow(0, 0, tokens);
  EXPECT_TRUE(at::allclose(states, model.encode(batch.inputs), 0, 1e-5));
}

TEST_F(Filler, BatchesHaveFewSizes) {
  MotorBatch batch = data_->train().read(0);
  fill_up(batch.inputs);
  const int64_t tokens = batch.inputs.ages_days_T.size(0);
  EXPECT_EQ(tokens, padded_rows(tokens));
  EXPECT_EQ(batch.inputs.lengths_S.sum().item<int64_t>(), tokens);
  EXPECT_EQ(batch.inputs.token_offsets_T1.size(0), tokens + 1);
  EXPECT_EQ(batch.inputs.time_data_T5.size(0), tokens);
  EXPECT_EQ(batch.inputs.timestamps_T.size(0), tokens);
  EXPECT_EQ(batch.inputs.subject_ids_S.size(0), batch.inputs.lengths_S.size(0));
  const int64_t sequences = batch.inputs.lengths_S.size(0);
  fill_up(batch.inputs);
  EXPECT_EQ(batch.inputs.lengths_S.size(0), sequences);
}

}  // namespace
}  // namespace sequela
