#include "sequela/io/shared_work.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "sequela/core/error.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

TEST(Claim, IsOnesAtATime) {
  TestFolder folder;
  std::optional<Claim> first = Claim::try_take(folder / "unit");
  ASSERT_TRUE(first);
  EXPECT_FALSE(Claim::try_take(folder / "unit"));
  EXPECT_TRUE(Claim::try_take(folder / "other"));
  first.reset();
  EXPECT_FALSE(fs::exists(folder / "unit"));
  EXPECT_TRUE(Claim::try_take(folder / "unit"));
  EXPECT_THROW(Claim::try_take(folder / "no folder/unit"), FileError);
}

TEST(Claim, OfAProcessThatWasKilledIsFree) {
  TestFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const std::optional<Claim> claim = Claim::try_take(folder / "unit");
    const char byte = claim ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    while (true) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_FALSE(Claim::try_take(folder / "unit"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(Claim::try_take(folder / "unit"));
}

// Units that are files.
class Units {
 public:
  std::string path(int64_t unit) const { return folder_ / std::to_string(unit); }
  bool is_done(int64_t unit) const { return fs::exists(path(unit)); }
  void make(int64_t unit) {
    {
      const std::lock_guard lock(mutex_);
      EXPECT_TRUE(made_.insert(unit).second) << unit << " was made twice";
      order_.push_back(unit);
    }
    std::ofstream(path(unit)) << unit;
  }
  void run(const SharedWork& work, int num_threads = 1) {
    work.run(
        "unit", std::vector<int64_t>(12, 1), num_threads, [this](int64_t i) { return is_done(i); },
        [this](int64_t i, int) { make(i); });
  }
  const std::vector<int64_t>& order() const { return order_; }
  size_t num_made() const { return made_.size(); }

 private:
  TestFolder folder_;
  std::mutex mutex_;
  std::set<int64_t> made_;
  std::vector<int64_t> order_;
};

TEST(Claim, OfAProcessThatWasKilledIsFreeThoughItsChildLivesOn) {
  TestFolder folder;
  int ready[2], done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    const std::optional<Claim> claim = Claim::try_take(folder / "unit");
    char byte = claim ? 'y' : 'n';
    if (fork() == 0) {  // until the test lets it go
      close(done[1]);
      if (write(ready[1], &byte, 1) != 1) _exit(1);
      _exit(static_cast<int>(read(done[0], &byte, 1)));
    }
    while (true) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_TRUE(Claim::try_take(folder / "unit"));
  for (const int end : {ready[0], ready[1], done[0], done[1]}) close(end);
}

TEST(SharedWork, AloneOneMakesAll) {
  Units units;
  units.run(SharedWork());
  EXPECT_EQ(units.num_made(), 12u);
}

TEST(SharedWork, OneAfterAnotherTheFirstMakesAll) {
  TestFolder claims;
  Units units;
  for (const int rank : {1, 0, 2}) units.run(SharedWork(claims / "ranks", rank, 3));
  EXPECT_EQ(units.num_made(), 12u);
  EXPECT_EQ(units.order(), (std::vector<int64_t>{4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3}));
}

TEST(SharedWork, AtTheSameTimeEachUnitIsMadeOnce) {
  for (int trial = 0; trial < 10; ++trial) {
    TestFolder claims;
    Units units;
    std::vector<std::jthread> processes;
    for (int rank = 0; rank < 3; ++rank) {
      processes.emplace_back([&, rank] {
        units.run(SharedWork(claims / "ranks", rank, 3), 2);
        for (int64_t i = 0; i < 12; ++i) EXPECT_TRUE(units.is_done(i));
      });
    }
    processes.clear();
    EXPECT_EQ(units.num_made(), 12u);
    EXPECT_TRUE(fs::is_empty(claims / "ranks"));
  }
}

TEST(SharedWork, AFailureFreesItsUnit) {
  TestFolder claims;
  const SharedWork work(claims / "ranks", 0, 2);
  const auto never = [](int64_t) { return false; };
  EXPECT_THROW(
      work.run("unit", {1}, 1, never, [](int64_t, int) { throw FileError("x", "broken"); }),
      FileError);
  bool is_made = false;
  work.run("unit", {1}, 1, never, [&](int64_t, int) { is_made = true; });
  EXPECT_TRUE(is_made);
}

}  // namespace
}  // namespace sequela
