#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "sequela/etl/source.h"
#include "sequela/io/file.h"
#include "tests/cli/run_command.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

class EtlCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "cdm");
    write_file(folder_ / "cdm/person.csv", "person_id,year_of_birth\n1,1980\n2,1990\n");
    write_file(folder_ / "cdm/death.csv", "person_id,death_date\n1,2020-01-01\n2,soon\n");
  }
  TestFolder folder_;
};

TEST_F(EtlCommand, TellsWhatWasLostAndThenWhatWasMade) {
  const std::vector<std::string> command = {"etl",           "--from", "omop",
                                            folder_ / "cdm", "--out",  folder_ / "meds"};
  const CommandResult failed = run_sequela(command);
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_NE(failed.err.find(
                "death: 1 of 2 rows (50.0 %) gave no event: a value that cannot be converted (1)"),
            std::string::npos)
      << failed.err;
  EXPECT_EQ(failed.err.find("soon"), std::string::npos);
  std::vector<std::string> accepting = command;
  accepting.push_back("--allow-drops");
  const CommandResult made = run_sequela(accepting);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_NE(made.out.find("Made 3 events of 2 subjects"), std::string::npos) << made.out;
  EXPECT_NE(made.out.find("dropped, a value that cannot be converted: 1 (such as subject 2)"),
            std::string::npos)
      << made.out;
  const CommandResult checked = run_sequela({"check", "meds", folder_ / "meds"});
  EXPECT_EQ(checked.exit_code, 0) << checked.out;
  EXPECT_NE(checked.out.find("3 events of 2 subjects"), std::string::npos) << checked.out;
}

TEST_F(EtlCommand, ExplainPrintsSqlAlone) {
  const CommandResult result = run_sequela({"etl", "--from", "omop", folder_ / "cdm", "--explain"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("SELECT"), std::string::npos);
}

TEST_F(EtlCommand, HelpNamesEachSource) {
  for (const char* command : {"etl", "prepare"}) {
    const std::string help = std::regex_replace(run_sequela({command, "--help"}).out,
                                                std::regex("\\s+"), " ");  // lines are broken
    for (const std::string& name : source_names()) {
      EXPECT_NE(help.find(name + (name == source_names().back() ? "; " : ", ")), std::string::npos)
          << command << " " << name;
    }
    for (const char* form : {"postgresql://user@host/database/schema", "MESSY file"})
      EXPECT_NE(help.find(form), std::string::npos) << command << " " << form;
  }
}

TEST_F(EtlCommand, UsageErrorsExitWith2) {
  EXPECT_EQ(
      run_sequela({"etl", "--from", "omopp", folder_ / "cdm", "--out", folder_ / "x"}).exit_code,
      2);
  EXPECT_EQ(run_sequela({"etl", "--from", "omop", "--out", folder_ / "x"}).exit_code, 2);
  EXPECT_EQ(run_sequela({"check", "wine", folder_ / "cdm"}).exit_code, 2);
  EXPECT_EQ(run_sequela({"prepare", "--meds", "a", "--from", "omop", "b", "--out", "c"}).exit_code,
            2);
}

}  // namespace
}  // namespace sequela
