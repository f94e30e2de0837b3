#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/run_command.h"
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

}  // namespace
}  // namespace sequela
