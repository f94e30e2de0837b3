#include "sequela/io/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

TEST(AtomicFile, LeavesNothingWhenItCannotGetItsName) {
  TestFolder folder;
  std::filesystem::create_directories(folder / "taken/by a folder");
  AtomicFile file(folder / "taken");
  file.write("content");
  EXPECT_THROW(file.commit(), FileError);
  EXPECT_FALSE(std::filesystem::exists(file.partial_path()));
  EXPECT_TRUE(std::filesystem::is_directory(folder / "taken/by a folder"));
}

TEST(AtomicFile, LeavesNothingWhenItIsDropped) {
  TestFolder folder;
  { AtomicFile(folder / "a").write("content"); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace sequela
