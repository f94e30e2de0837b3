// What `features --read-out` puts into the files.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "sequela/core/error.h"
#include "sequela/pipeline/features.h"
#include "sequela/synth/synth.h"
#include "tests/pipeline/tiny_run.h"
#include "tests/support/npz.h"

namespace sequela {
namespace {

class ReadOutRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TestFolder>();
    synth({.num_subjects = 40, .seed = 5, .folder = *folder_ / "synth"});
    prepare(tiny_prepare_options(*folder_));
    pretrain(tiny_pretrain_options(*folder_, Precision::fp32));
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static NpyArray<float> features(ReadOut read_out, int64_t tokens_per_batch) {
    FeaturesOptions options;
    options.meds = *folder_ / "synth/meds";
    options.model = *folder_ / "model";
    options.labels = *folder_ / "synth/labels.parquet";
    options.out = *folder_ / "features";
    options.read_out = read_out;
    options.tokens_per_batch = tokens_per_batch;
    options.device = "cpu";
    EXPECT_FALSE(compute_features(options).is_up_to_date);
    return NpzFile(options.out + "/features.npz").get<float>("features");
  }

  static std::unique_ptr<TestFolder> folder_;
};

std::unique_ptr<TestFolder> ReadOutRun::folder_;

TEST_F(ReadOutRun, HistoryStandsBehindTheLastState) {
  const auto last = features(ReadOut::last, 8'192);
  const auto both = features(ReadOut::last_and_history, 8'192);
  ASSERT_GT(last.shape[0], 10);
  ASSERT_EQ(last.shape[1], 64);
  ASSERT_EQ(both.shape, (std::vector<int64_t>{last.shape[0], 4 * 64}));
  for (int64_t row = 0; row < last.shape[0]; ++row) {
    double moved = 0;
    for (int64_t i = 0; i < 64; ++i) {
      EXPECT_NEAR(both.values[row * 256 + i], last.values[row * 64 + i], 1e-5);
      moved += std::abs(both.values[row * 256 + 64 + i] - last.values[row * 64 + i]);
    }
    EXPECT_GT(moved, 0.1);  // a mean, not the state once more
  }
}

TEST_F(ReadOutRun, DoesNotDependOnWhatSharesABatch) {
  const auto small = features(ReadOut::last_and_history, 4'096);
  const auto large = features(ReadOut::last_and_history, 16'384);
  ASSERT_EQ(small.shape, large.shape);
  for (size_t i = 0; i < small.values.size(); ++i)
    EXPECT_NEAR(small.values[i], large.values[i], 1e-5);
}

TEST(ReadOut, HasTheNamesOfTheOption) {
  EXPECT_EQ(to_read_out("last"), ReadOut::last);
  EXPECT_EQ(to_read_out("last+history"), ReadOut::last_and_history);
  EXPECT_THROW(to_read_out("history"), ConfigError);
}

}  // namespace
}  // namespace sequela
