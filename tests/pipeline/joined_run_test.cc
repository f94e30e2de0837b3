#include "sequela/pipeline/joined_run.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <vector>

#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// Locks are by file descriptor: threads stand for processes. One may come while the last one
// leaves.
TEST(JoinedRun, RanksComeAndGoAsTheyLike) {
  constexpr int kRanks = 3, kTimes = 60;
  const TestFolder folder;
  RunRecipe recipe;
  recipe.command = "prepare";
  std::vector<std::future<int>> ranks;
  for (int rank = 0; rank < kRanks; ++rank) {
    ranks.push_back(std::async(std::launch::async, [&, rank] {
      int num_last = 0;
      for (int i = 0; i < kTimes; ++i) {
        JoinedRun run(folder.path(), recipe, rank, kRanks);
        run.leave([&] { ++num_last; });
      }
      return num_last;
    }));
  }
  int num_last = 0;
  for (std::future<int>& rank : ranks) num_last += rank.get();
  EXPECT_GE(num_last, 1);
  EXPECT_LE(num_last, kRanks * kTimes);
  for (const auto& entry : fs::directory_iterator(folder.path()))
    EXPECT_EQ(entry.path().filename(), ".lock");
}

}  // namespace
}  // namespace sequela
