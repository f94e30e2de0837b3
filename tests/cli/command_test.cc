#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/run_command.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class Command : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/command-test";
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST_F(Command, HelpAndVersion) {
  EXPECT_EQ(run_sequela({"--version"}).out, "sequela " SEQUELA_VERSION "\n");
  for (const char* name : {"synth", "prepare", "pretrain", "features", "inspect", "demo"}) {
    const CommandResult result = run_sequela({name, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.out.find("Example"), std::string::npos) << name;
  }
}

TEST_F(Command, UsageErrorsAreOneLineAndExitWith2) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {},
           {"prepare"},
           {"prepare", "--nonsense"},
           {"prepare", "--vocab-size", "many"},
           {"prepare", "--meds", "x", "--out", "y", "--batch-format", "odd"},
           {"features", "--meds", "x", "--model", "y", "--labels", "z", "--out", "o", "--memory",
            "1Q"},
           {"pretrain", "--data", "x", "--model", "y", "--precision", "fp8"}}) {
    const CommandResult result = run_sequela(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.err.rfind("sequela: error: ", 0), 0u) << result.err;
  }
}

TEST_F(Command, PrepareStaysUnderItsMemory) {
  constexpr int64_t kMebibytes = 300;
  ASSERT_EQ(run_sequela({"synth", "--subjects", "2000", "--out", folder_ + "/data"}).exit_code, 0);
  const CommandResult result = run_sequela(
      {"prepare", "--meds", folder_ + "/data/meds", "--athena", folder_ + "/data/athena", "--out",
       folder_ + "/out", "--threads", "16", "--memory", std::to_string(kMebibytes) + "M"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_LT(result.peak_mib, kMebibytes);

  const CommandResult refused = run_sequela({"prepare", "--meds", folder_ + "/data/meds", "--out",
                                             folder_ + "/none", "--memory", "255M"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("256M"), std::string::npos) << refused.err;
}

TEST_F(Command, ConfigFileFillsOptionsAndFlagsWin) {
  const std::string config =
      write("synth.toml", "[synth]\nsubjects = 7\nseed = 3\nout = \"" + folder_ +
                              "/a\"\n"
                              "[prepare]\nvocab-size = 5\n");
  ASSERT_EQ(run_sequela({"synth", "--config", config, "--quiet"}).exit_code, 0);
  const std::string used = slurp(folder_ + "/a.options.toml");
  EXPECT_NE(used.find("subjects = \"7\""), std::string::npos) << used;
  ASSERT_EQ(run_sequela({"synth", "--config", config, "--subjects", "4", "--out", folder_ + "/b",
                         "--quiet"})
                .exit_code,
            0);
  EXPECT_NE(slurp(folder_ + "/b.options.toml").find("subjects = \"4\""), std::string::npos);
}

TEST_F(Command, TheOptionsWrittenRepeatTheRun) {
  ASSERT_EQ(run_sequela({"synth", "--subjects", "5", "--out", folder_ + "/a", "--quiet"}).exit_code,
            0);
  const std::string first = slurp(folder_ + "/a/synth.json");
  fs::remove_all(folder_ + "/a");
  ASSERT_EQ(run_sequela({"synth", "--config", folder_ + "/a.options.toml"}).exit_code, 0);
  EXPECT_EQ(slurp(folder_ + "/a/synth.json"), first);
}

TEST_F(Command, UnknownKeysOfAConfigFileAreErrors) {
  for (const char* text : {"[synth]\nsubject = 7\n", "[sinth]\nsubjects = 7\n", "nonsense = 1\n",
                           "[synth]\nsubjects = \"many\"\n"}) {
    const CommandResult result =
        run_sequela({"synth", "--out", folder_ + "/x", "--config", write("bad.toml", text)});
    EXPECT_EQ(result.exit_code, 2) << text << result.err;
    EXPECT_FALSE(fs::exists(folder_ + "/x"));
  }
  EXPECT_EQ(run_sequela({"synth", "--out", "x", "--config", folder_ + "/absent"}).exit_code, 2);
}

TEST_F(Command, InspectNamesWhatItDoesNotKnow) {
  EXPECT_EQ(run_sequela({"inspect", folder_ + "/absent"}).exit_code, 4);
  EXPECT_EQ(run_sequela({"inspect", write("x.txt", "x")}).exit_code, 2);
}

}  // namespace
}  // namespace sequela
