// What torch was told before a call holds after it, too.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <thread>

#include "sequela/core/error.h"
#include "sequela/nn/torch_threads.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

TEST(TorchSettings, ThreadsAreTheScopesAndThenThoseBefore) {
  const TorchThreads outer(3);
  EXPECT_EQ(at::get_num_threads(), 3);
  {
    const TorchThreads inner(2);
    EXPECT_EQ(at::get_num_threads(), 2);
    const TorchThreads as_it_is(0);
    EXPECT_EQ(at::get_num_threads(), 2);
  }
  EXPECT_EQ(at::get_num_threads(), 3);
}

TEST(TorchSettings, ThreadsOfAnotherThreadAreItsOwn) {
  const TorchThreads mine(2);
  std::thread other([] {
    const TorchThreads its(3);
    EXPECT_EQ(at::get_num_threads(), 3);
  });
  other.join();
  EXPECT_EQ(at::get_num_threads(), 2);
}

TEST(TorchSettings, ACommandLeavesThem) {
  const TestFolder folder;
  const TorchThreads before(3);
  FeaturesOptions options = small_features(folder / "embeddings");
  options.num_threads = 2;
  compute_features(options);
  EXPECT_EQ(at::get_num_threads(), 3);
  EXPECT_TRUE(compute_features(options).is_up_to_date);
  EXPECT_EQ(at::get_num_threads(), 3);
  options.labels = folder / "none";
  EXPECT_THROW(compute_features(options), Error);
  EXPECT_EQ(at::get_num_threads(), 3);
}

}  // namespace
}  // namespace sequela
