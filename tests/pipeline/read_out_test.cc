// What `features --read-out` puts into the files.
#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/pipeline/features.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/npz.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

// Of the tutorial's labels, in batches of so many tokens.
NpyArray<float> features(ReadOut read_out, int64_t tokens_per_batch) {
  const TestFolder folder;
  FeaturesOptions options = small_features(folder / "features");
  options.read_out = read_out;
  options.tokens_per_batch = tokens_per_batch;
  compute_features(options);
  return NpzFile(options.out + "/features.npz").get<float>("features");
}

TEST(ReadOut, HistoryStandsBehindTheLastState) {
  const auto last = features(ReadOut::last, 8'192);
  const auto both = features(ReadOut::last_and_history, 8'192);
  ASSERT_GT(last.shape[0], 10);
  const int64_t width = last.shape[1];
  ASSERT_EQ(both.shape, (std::vector<int64_t>{last.shape[0], 4 * width}));
  for (int64_t row = 0; row < last.shape[0]; ++row) {
    double moved = 0;
    for (int64_t i = 0; i < width; ++i) {
      const float* own = &both.values[row * 4 * width];
      EXPECT_NEAR(own[i], last.values[row * width + i], 1e-5);
      moved += std::abs(own[width + i] - last.values[row * width + i]);
    }
    EXPECT_GT(moved, 0.1);  // a mean, not the state once more
  }
}

TEST(ReadOut, DoesNotDependOnWhatSharesABatch) {
  const auto small = features(ReadOut::last_and_history, 64);
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
