// The read-out's view of a history against plain means of what an observer sees.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "sequela/model/motor.h"
#include "sequela/model/span_means.h"
#include "tests/model/small_model.h"

namespace sequela {
namespace {

struct Stages {
  at::Tensor embedded_TH, hidden_TH;
};

Stages stages_of(Motor& model, const BatchInputs& inputs) {
  Stages stages;
  model.set_observer([&](const std::string& stage, const at::Tensor& value) {
    if (stage == "in_norm_out") stages.embedded_TH = value.clone();
  });
  stages.hidden_TH = model.encode(inputs);
  model.set_observer({});
  return stages;
}

at::Tensor mean(const at::Tensor& x_TH, int64_t first, int64_t last) {
  return x_TH.narrow(0, first, last + 1 - first).to(at::kDouble).mean(0).to(at::kFloat);
}

TEST(HistoryView, HoldsTheStateAndTheMeansOfWhatLedToIt) {
  Motor model(small_config(), 3, at::kCPU, Precision::fp32);
  const int64_t hidden = model.config().encoder.hidden_size;
  const BatchInputs inputs = small_batch({300, 5, 290}, model.config().encoder.vocab_size).inputs;
  const Stages stages = stages_of(model, inputs);
  // A whole sequence, one of its tokens, a middle, and the same token read twice.
  const std::vector<int64_t> rows = {299, 0, 304, 500, 500};
  const std::vector<std::array<int64_t, 2>> firsts = {
      {0, 250}, {0, 0}, {300, 304}, {305, 400}, {305, 305}};
  const at::Tensor rows_L = at::tensor(rows, at::kLong);
  at::Tensor firsts_LP = at::empty({5, 2}, at::kLong);
  std::memcpy(firsts_LP.mutable_data_ptr(), firsts.data(), firsts_LP.nbytes());
  const at::Tensor view_LC = model.encode_with_history(inputs, rows_L, firsts_LP);
  ASSERT_EQ(view_LC.sizes(), (at::IntArrayRef{5, 4 * hidden}));
  for (int64_t i = 0; i < 5; ++i) {
    SCOPED_TRACE(i);
    const at::Tensor expected =
        at::cat({stages.hidden_TH[rows[i]], mean(stages.hidden_TH, firsts[i][0], rows[i]),
                 mean(stages.embedded_TH, firsts[i][0], rows[i]),
                 mean(stages.embedded_TH, firsts[i][1], rows[i])});
    EXPECT_LT((view_LC[i] - expected).abs().max().item<double>(), 1e-5);
  }
}

TEST(HistoryView, LeavesRowsOfDoublesAsTheyAre) {
  const at::Tensor x_TH = at::ones({3, 2}, at::kDouble);
  const at::Tensor means_LH = span_means(x_TH, at::tensor({3}, at::kInt),
                                         at::tensor({0}, at::kLong), at::tensor({2}, at::kLong));
  EXPECT_EQ(means_LH.sum().item<float>(), 2);
  EXPECT_EQ(x_TH.sum().item<double>(), 6);
}

TEST(HistoryView, DependsOnItsOwnSequenceAlone) {
  Motor model(small_config(), 3, at::kCPU, Precision::fp32);
  const auto view = [&](const std::vector<int64_t>& lengths) {
    const BatchInputs inputs = small_batch(lengths, model.config().encoder.vocab_size).inputs;
    return model.encode_with_history(inputs, at::tensor({19}, at::kLong),
                                     at::tensor({0, 7}, at::kLong).view({1, 2}));
  };
  EXPECT_LT((view({20}) - view({20, 4'000})).abs().max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace sequela
