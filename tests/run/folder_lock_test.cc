#include "sequela/run/folder_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "sequela/core/error.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// A pipe by which a process waits for another one.
class Gate {
 public:
  Gate() { EXPECT_EQ(pipe(ends_), 0); }
  ~Gate() {
    close(ends_[0]);
    close(ends_[1]);
  }
  void open() const { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  void pass() const {
    char byte = 0;
    EXPECT_EQ(read(ends_[0], &byte, 1), 1);
  }

 private:
  int ends_[2];
};

TEST(FolderLock, KeepsAFolderWithOutput) {
  const TestFolder folder;
  const std::string out = folder / "out";
  {
    const FolderLock lock(out);
    std::ofstream(out + "/table.txt") << "output";
  }
  EXPECT_TRUE(fs::exists(out + "/table.txt"));
  { const FolderLock again(out); }
  EXPECT_TRUE(fs::exists(out + "/table.txt"));
}

TEST(FolderLock, AChildThatIsForkedMeanwhileDoesNotHaveIt) {
  const TestFolder folder;
  const Gate gate;
  auto lock = std::make_unique<FolderLock>(folder.path());
  const pid_t child = fork();
  if (child == 0) {
    gate.pass();
    _exit(0);
  }
  EXPECT_THROW(FolderLock(folder.path()), ConfigError);
  lock.reset();
  EXPECT_NO_THROW(FolderLock(folder.path()));
  gate.open();
  waitpid(child, nullptr, 0);
}

TEST(FolderLock, EndsWithItsProcessThoughAChildLivesOn) {
  const TestFolder folder;
  const Gate is_forked, gate, is_over;
  const pid_t holder = fork();
  if (holder == 0) {
    const FolderLock lock(folder / "out");
    if (fork() == 0) {
      is_forked.open();
      gate.pass();
      is_over.open();
      _exit(0);
    }
    pause();
  }
  is_forked.pass();
  EXPECT_THROW(FolderLock(folder / "out"), ConfigError);
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_NO_THROW(FolderLock(folder / "out"));
  gate.open();
  is_over.pass();
}

TEST(FolderLock, TheCopyOfAChildLeavesItAlone) {
  const TestFolder folder;
  auto lock = std::make_unique<FolderLock>(folder / "out");
  const pid_t child = fork();
  if (child == 0) {
    const int file =
        open("/dev/null", O_WRONLY);  // takes the number of the descriptor that was closed
    lock.reset();
    _exit(write(file, "x", 1) == 1 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "it closed another's file";
  EXPECT_TRUE(fs::exists(folder / "out/.lock"));
  EXPECT_THROW(FolderLock(folder / "out"), ConfigError);
}

// The first that goes must not take the file away from the one that stays.
TEST(FolderLock, IsSharedUntilTheLastGoes) {
  const TestFolder parent;
  const std::string folder = parent / "new";
  auto first = std::make_unique<FolderLock>(folder, FolderLock::Kind::shared);
  auto second = std::make_unique<FolderLock>(folder, FolderLock::Kind::shared);
  EXPECT_THROW(FolderLock{folder}, ConfigError);
  first.reset();
  EXPECT_THROW(FolderLock{folder}, ConfigError);
  second.reset();
  const FolderLock alone(folder);
  EXPECT_THROW(FolderLock(folder, FolderLock::Kind::shared), ConfigError);
}

}  // namespace
}  // namespace sequela
