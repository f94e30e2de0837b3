// Models by name through the command, from a cache, with no network.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "sequela/io/file.h"
#include "tests/cli/run_command.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";
const std::string kReference = SEQUELA_SOURCE_DIR "/tests/reference/";

class ModelsByName : public testing::Test {
 protected:
  void SetUp() override {
    add("org/encoder", kReference + "bert/a_bert/model_st");
    add("org/bundle", kReference + "motor/tutorial/motor_model");
    setenv("HF_HUB_CACHE", (folder_ / "hub").c_str(), 1);
    setenv("HF_HUB_OFFLINE", "1", 1);
    fs::create_directories(folder_ / "work");
    before_ = fs::current_path();
    fs::current_path(folder_ / "work");
  }
  void TearDown() override {
    fs::current_path(before_);
    for (const char* name : {"HF_HUB_CACHE", "HF_HUB_OFFLINE", "SEQUELA_PYTHON"}) unsetenv(name);
  }

  void add(std::string name, const std::string& source) {
    name.replace(name.find('/'), 1, "--");
    const fs::path model = fs::path(folder_ / "hub") / ("models--" + name);
    fs::create_directories(model / "refs");
    write_file((model / "refs" / "main").string(), kCommit);
    fs::create_directories(model / "snapshots");
    fs::copy(source, model / "snapshots" / kCommit, fs::copy_options::recursive);
  }
  // The command's last line on stderr.
  static std::string last_line(const CommandResult& result) {
    const std::string text = result.err.substr(0, result.err.rfind('\n'));
    return text.substr(text.rfind('\n') + 1);
  }

  TestFolder folder_;
  fs::path before_;
};

TEST_F(ModelsByName, EncodeTakesTheSnapshotAndWritesItsCommit) {
  const CommandResult result = run_sequela(
      {"encode", "--model", "org/encoder", "--extract-code-embeddings", "--out", "out"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("org/encoder: commit " + kCommit), std::string::npos) << result.err;
  EXPECT_TRUE(fs::exists("out/code_embeddings.parquet"));
  const std::string options = slurp("out.options.toml");
  EXPECT_NE(options.find("model = \"org/encoder@" + kCommit + "\""), std::string::npos) << options;

  // The options file repeats the run.
  fs::remove_all("out");
  EXPECT_EQ(run_sequela({"encode", "--config", "out.options.toml"}).exit_code, 0);
  EXPECT_TRUE(fs::exists("out/code_embeddings.parquet"));
}

TEST_F(ModelsByName, InspectTakesBundlesAndEncoders) {
  for (const char* name : {"org/encoder@main", "org/bundle"}) {
    const CommandResult result = run_sequela({"inspect", name});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("parameters"), std::string::npos) << result.out;
    EXPECT_NE(result.err.find(kCommit), std::string::npos) << result.err;
  }
  EXPECT_EQ(run_sequela({"inspect", "org/bundle", "--quiet"}).err, "");
}

TEST_F(ModelsByName, EveryCommandThatReadsAModelTakesNames) {
  const std::string missing = "org/none: there is no such folder";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"features", "--meds", "m", "--labels", "l", "--out", "o", "--model", "org/none"},
           {"encode", "--input", "i", "--out", "o", "--model", "org/none"},
           {"compare", "--meds", "m", "--labels", "l", "--out", "o", "--model", "org/none"},
           {"inspect", "org/none"}}) {
    const CommandResult result = run_sequela(arguments);
    EXPECT_EQ(result.exit_code, 4) << arguments[0] << result.err;
    EXPECT_TRUE(result.err.starts_with("sequela: error: " + missing)) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  EXPECT_FALSE(fs::exists("o"));
}

TEST_F(ModelsByName, AFolderOfThatNameWins) {
  fs::create_directories("org");
  fs::copy(kReference + "motor/tutorial/motor_model", "org/encoder", fs::copy_options::recursive);
  const CommandResult result = run_sequela({"inspect", "org/encoder"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("bundle"), std::string::npos) << result.out;
  EXPECT_NE(result.err.find("org/encoder: the folder of that name"), std::string::npos)
      << result.err;
}

TEST_F(ModelsByName, WithoutThePackageOneLineSaysWhatToInstall) {
  unsetenv("HF_HUB_OFFLINE");
  setenv("SEQUELA_PYTHON", "/nowhere/python", 1);
  const CommandResult result = run_sequela({"inspect", "org/none"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(last_line(result).find("pip install '.[hub]'"), std::string::npos) << result.err;
  EXPECT_NE(last_line(result).find("/nowhere/python"), std::string::npos) << result.err;
}

// What the package would answer, by a program in its place.
TEST_F(ModelsByName, ThePackagesErrorsAreTheCommands) {
  unsetenv("HF_HUB_OFFLINE");
  const std::string program = folder_ / "python";
  setenv("SEQUELA_PYTHON", program.c_str(), 1);
  const auto answer = [&](const std::string& script) {
    write_file(program, "#!/bin/sh\n" + script + "\n");
    fs::permissions(program, fs::perms::owner_all);
    return run_sequela({"inspect", "org/none"});
  };
  for (const auto& [kind, code] :
       {std::pair{"FileError", 4}, std::pair{"ResourceError", 5}, std::pair{"ConfigError", 2}}) {
    const CommandResult result = answer(std::string("echo '{\"error\": {\"kind\": \"") + kind +
                                        "\", \"message\": \"it is so\"}}'; exit 1");
    EXPECT_EQ(result.exit_code, code);
    EXPECT_EQ(result.err, "sequela: error: it is so\n");
  }
  const CommandResult missing = answer("echo '{\"missing\": \"huggingface_hub\"}'");
  EXPECT_NE(missing.err.find("pip install 'huggingface_hub"), std::string::npos) << missing.err;
  EXPECT_EQ(answer("exit 3").exit_code, 4);
  EXPECT_EQ(answer("echo '{\"folder\": \"x\"}'").exit_code, 4) << "said so, but it is not there";
}

}  // namespace
}  // namespace sequela
