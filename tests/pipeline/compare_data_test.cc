#include "sequela/pipeline/compare_data.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sequela/core/random.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/pipeline/evaluation/methods/feature_methods.h"

namespace sequela {
namespace {

void add_patient(const std::vector<std::vector<int32_t>>& visits, PatientVisits* out) {
  for (const std::vector<int32_t>& codes : visits) {
    out->codes.insert(out->codes.end(), codes.begin(), codes.end());
    out->code_offsets.push_back(out->num_codes());
    out->visit_times_us.push_back(0);
    out->visit_end_times_us.push_back(0);
  }
  out->subject_ids.push_back(out->num_patients());
  out->visit_offsets.push_back(out->num_visits());
}

TEST(CompareData, MeanIsOverDistinctKnownCodes) {
  PatientVisits visits;
  add_patient({{1, 3, 0}, {}, {3, 1, 1}}, &visits);
  add_patient({}, &visits);
  add_patient({{0, 0}}, &visits);
  add_patient({{2}}, &visits);
  const at::Tensor table = at::tensor({9.f, 9.f, 1.f, 2.f, 5.f, 7.f, 3.f, 8.f}).reshape({4, 2});
  const DenseMatrix means = mean_embeddings(visits, table);
  ASSERT_EQ(means.num_rows, 4);
  EXPECT_EQ(means.values, (std::vector<float>{2, 5, 0, 0, 0, 0, 5, 7}));
}

// Training and test rows share no code: only a table that puts codes of a kind together can tell
// the outcome.
TEST(CompareData, TellsATableThatKnowsTheCodesFromARandomOne) {
  constexpr int64_t kNumCodes = 400, kSize = 8;
  const auto kind_of = [](int32_t code) { return code % 2; };
  Random random(3);
  PatientVisits visits;
  LabelTask task;
  for (int64_t row = 0; row < 400; ++row) {
    const bool is_train = row < 100;
    const uint8_t outcome = row % 4 == 0;
    std::vector<int32_t> codes;
    while (codes.size() < 6) {
      const auto half = static_cast<int32_t>(random.below(kNumCodes / 2 - 1));
      const int32_t code = 1 + half + (is_train ? 0 : kNumCodes / 2);
      if (kind_of(code) == outcome) codes.push_back(code);
    }
    add_patient({codes}, &visits);
    task.outcomes.push_back(outcome);
    task.subject_ids.push_back(row);
    task.places.push_back(row);
    (is_train ? task.train : task.test).push_back(row);
  }
  std::vector<float> knowing, ignorant;
  for (int64_t i = 0; i < (kNumCodes + 1) * kSize; ++i) {
    const auto noise = static_cast<float>(random.normal());
    const bool is_kind = i % kSize == 0;
    knowing.push_back(is_kind ? static_cast<float>(kind_of(i / kSize)) : noise);
    ignorant.push_back(noise);
  }
  const auto scores_of = [&](const at::Tensor& table, int num_threads) {
    auto features = std::make_shared<Lazy<DenseFeatures>>([&] {
      return DenseFeatures{mean_embeddings(visits, table), std::vector<uint8_t>(400, 1)};
    });
    return DenseProbe("probe", "", features, num_threads).predict(task, {task.train, {}});
  };
  const std::vector<uint8_t> outcomes = values_at(task.outcomes, task.test);
  const auto auroc = [&](const std::vector<float>& values) {
    const at::Tensor table = at::tensor(values).reshape({kNumCodes + 1, kSize});
    const std::vector<double> scores = scores_of(table, 1);
    EXPECT_EQ(scores, scores_of(table, 2));
    return ScoredOutcomes(scores, outcomes).auroc();
  };
  EXPECT_GT(auroc(knowing), 0.95);
  EXPECT_LT(auroc(ignorant), 0.65);
}

}  // namespace
}  // namespace sequela
