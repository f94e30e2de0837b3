#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/run_command.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

TEST(LabelCommand, PrintsABuiltInTaskThatItThenTakes) {
  const TestFolder folder;
  const CommandResult printed = run_sequela({"label", "--print-task", "first_onset:SNOMED/1000"});
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_NE(printed.out.find("{under: ['SNOMED/1000']}"), std::string::npos) << printed.out;
  std::ofstream(folder / "task.yaml") << printed.out;
  write_visit_records(folder / "meds", {.num_subjects = 10});
  const CommandResult made = run_sequela({"label", "--meds", folder / "meds", "--task",
                                          folder / "task.yaml", "--out", folder / "labels"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_NE(made.out.find("windows.history"), std::string::npos) << made.out;
  EXPECT_TRUE(std::filesystem::exists(folder / "labels/cohort.json"));
  EXPECT_TRUE(std::filesystem::exists(folder / "labels.options.toml"));
}

TEST(LabelCommand, AnEmptyCohortIsNoError) {
  const TestFolder folder;
  write_visit_records(folder / "meds", {.num_subjects = 10});
  const CommandResult made = run_sequela(
      {"label", "--meds", folder / "meds", "--task", "icu_transfer", "--out", folder / "labels"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_NE(made.out.find("No labels: windows.target leaves none"), std::string::npos) << made.out;
}

TEST(LabelCommand, ErrorsOfATaskAreOneLine) {
  const TestFolder folder;
  write_visit_records(folder / "meds", {.num_subjects = 2});
  std::ofstream(folder / "task.yaml") << "predicates:\n  a: {code: A}\ntrigger: b\n";
  const CommandResult wrong = run_sequela({"label", "--meds", folder / "meds", "--task",
                                           folder / "task.yaml", "--out", folder / "labels"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("task.yaml: line 3: trigger: there is no predicate 'b'"),
            std::string::npos)
      << wrong.err;
  EXPECT_EQ(std::count(wrong.err.begin(), wrong.err.end(), '\n'), 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "labels"));
  EXPECT_EQ(run_sequela({"label", "--meds", folder / "meds"}).exit_code, 2);
}

TEST(LabelCommand, SaysWhyItMakesLabelsAnew) {
  const TestFolder folder;
  std::vector<std::string> command = {
      "label", "--meds",         reference_path("motor/g60/meds"), "--task", "icu_transfer",
      "--out", folder / "labels"};
  EXPECT_EQ(run_sequela(command).exit_code, 0);
  EXPECT_NE(run_sequela(command).err.find("labels is up to date"), std::string::npos);
  command.push_back("--aces-exact");
  EXPECT_NE(run_sequela(command).err.find(
                "labels: made anew, since aces-exact changed from false to true"),
            std::string::npos);
}

// The cache is where the environment says, and a broken one is no error.
TEST(LabelCommand, RemembersFingerprints) {
  const TestFolder folder;
  setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
  const auto label = [&](const std::string& out) {
    const CommandResult made = run_sequela({"label", "--meds", reference_path("motor/g60/meds"),
                                            "--task", "icu_transfer", "--out", folder / out});
    EXPECT_EQ(made.exit_code, 0) << made.err;
  };
  label("first");
  const std::string path = folder / "cache/sequela/fingerprints";
  const std::string cache = slurp(path);
  EXPECT_GE(std::count(cache.begin(), cache.end(), '\n'), 5);  // three files of the data set
  label("second");
  EXPECT_EQ(slurp(path), cache);  // nothing was read that is not there
  std::ofstream(path) << "damaged";
  label("third");
  EXPECT_EQ(slurp(path), cache);
  for (const char* out : {"second", "third"})
    EXPECT_EQ(slurp(folder / out + "/manifest.json"), slurp(folder / "first/manifest.json"));
  unsetenv("XDG_CACHE_HOME");
}

}  // namespace
}  // namespace sequela
