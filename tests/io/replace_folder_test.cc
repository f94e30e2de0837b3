#include "sequela/io/replace_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// Of folders that hold one file, "name", with some content.
void make_folder(const std::string& path, const std::string& content) {
  fs::create_directories(path);
  write_file(path + "/name", content);
}

std::set<std::string> names_in(const TestFolder& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

TEST(ReplaceFolder, BothWaysPutTheNewInThePlaceOfTheOld) {
  for (const auto replace : {replace_folder, replace_folder_in_two_steps}) {
    for (const bool is_there : {false, true}) {
      TestFolder folder;
      make_folder(folder / "new", "new content");
      if (is_there) make_folder(folder / "model", "old content");
      replace(folder / "new", folder / "model");
      EXPECT_EQ(read_file(folder / "model/name"), "new content");
      EXPECT_EQ(names_in(folder), std::set<std::string>{"model"});
    }
  }
}

TEST(ReplaceFolder, TheOldIsKeptWhereTheNewCannotTakeItsPlace) {
  for (const auto replace : {replace_folder, replace_folder_in_two_steps}) {
    TestFolder folder;
    make_folder(folder / "model", "old content");
    EXPECT_THROW(replace(folder / "gone", folder / "model"), FileError);
    EXPECT_EQ(read_file(folder / "model/name"), "old content");
    EXPECT_EQ(names_in(folder), std::set<std::string>{"model"});
  }
}

TEST(ReplaceFolder, ACrashBetweenTheStepsLosesNothing) {
  TestFolder folder;
  make_folder(folder / "model.partial", "new content");
  make_folder(folder / "model.partial.old", "old content");
  { const AtomicFolder dropped(folder / "model"); }
  EXPECT_EQ(read_file(folder / "model/name"), "old content");
  EXPECT_EQ(names_in(folder), std::set<std::string>{"model"});
}

TEST(ReplaceFolder, WhatWasLeftAfterTheStepsGoes) {
  TestFolder folder;
  make_folder(folder / "model", "new content");
  make_folder(folder / "model.partial.old", "old content");
  { const AtomicFolder dropped(folder / "model"); }
  EXPECT_EQ(read_file(folder / "model/name"), "new content");
  EXPECT_EQ(names_in(folder), std::set<std::string>{"model"});
}

}  // namespace
}  // namespace sequela
