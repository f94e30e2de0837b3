#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/run_command.h"
#include "tests/support/prediction_tables.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

TEST(EvaluateCommand, PrintsATableAndWritesTheFiles) {
  const TestFolder folder;
  MadeUpPredictions(200).write(folder / "a.parquet");
  MadeUpPredictions(200, 3).write(folder / "b.parquet");
  const CommandResult result = run_sequela(
      {"evaluate", "--predictions", "motor=" + (folder / "a.parquet"),
       "trees=" + (folder / "b.parquet"), "--out", folder / "out", "--bootstraps", "50"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* part : {"AUROC (95 %)", "motor", "trees", "task: motor - trees", "p (Holm)"}) {
    EXPECT_NE(result.out.find(part), std::string::npos) << part << "\n" << result.out;
  }
  for (const char* name :
       {"metrics.json", "metrics.csv", "metrics.txt", "curves.json", "report.html"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / ("out/" + std::string(name)))) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "out.options.toml"));
}

TEST(EvaluateCommand, ErrorsAreOneLineWithTheirPlace) {
  const TestFolder folder;
  MadeUpPredictions rows(20);
  rows.probabilities[4] = 1.5f;
  rows.write(folder / "a.parquet");
  const CommandResult bad =
      run_sequela({"evaluate", "--predictions", folder / "a.parquet", "--out", folder / "out"});
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_NE(bad.err.find("a.parquet: row 4: column 'predicted_boolean_probability': outside"),
            std::string::npos)
      << bad.err;
  EXPECT_EQ(std::count(bad.err.begin(), bad.err.end(), '\n'), 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
  EXPECT_EQ(run_sequela({"evaluate", "--out", folder / "out"}).exit_code, 2);
  EXPECT_EQ(run_sequela({"evaluate", "--predictions", folder / "a.parquet", "--out", folder / "out",
                         "--bootstraps", "0"})
                .exit_code,
            2);
}

TEST(EvaluateCommand, OptionsOfRecordsNeedRecords) {
  const TestFolder folder;
  MadeUpPredictions(20).write(folder / "a.parquet");
  const CommandResult without = run_sequela({"evaluate", "--predictions", folder / "a.parquet",
                                             "--model", folder.path(), "--out", folder / "out"});
  EXPECT_EQ(without.exit_code, 2);
  EXPECT_NE(without.err.find("--model needs records"), std::string::npos) << without.err;
  const CommandResult subgroups = run_sequela({"evaluate", "--predictions", folder / "a.parquet",
                                               "--subgroup-code", "C/1", "--out", folder / "out"});
  EXPECT_NE(subgroups.err.find("--subgroup-code needs records"), std::string::npos)
      << subgroups.err;
  const CommandResult nothing = run_sequela({"evaluate", "--out", folder / "out"});
  EXPECT_NE(nothing.err.find("nothing to evaluate"), std::string::npos) << nothing.err;
  const CommandResult unknown =
      run_sequela({"evaluate", "--meds", folder.path(), "--labels", folder / "a.parquet",
                   "--methods", "trees", "--out", folder / "out"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("did you mean 'counts_trees'"), std::string::npos) << unknown.err;
}

}  // namespace
}  // namespace sequela
