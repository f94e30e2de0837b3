#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

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

struct Choice {
  std::string option;
  std::vector<std::string> words;
};

// The options of a command that take one of some words, as --help shows them.
std::vector<Choice> choices_of(const std::string& command) {
  const std::string help = run_sequela({command, "--help"}).out;
  const std::regex line("\n  (--[a-z-]+) ([a-z0-9_+-]+(?:\\|[a-z0-9_+-]+)+)");
  std::vector<Choice> choices;
  for (std::sregex_iterator found(help.begin(), help.end(), line), end; found != end; ++found) {
    choices.push_back({(*found)[1], {}});
    std::istringstream words((*found)[2]);
    for (std::string word; std::getline(words, word, '|');) choices.back().words.push_back(word);
  }
  return choices;
}

TEST_F(Command, HelpAndVersion) {
  const std::string version = run_sequela({"--version"}).out;
  EXPECT_TRUE(version.starts_with("sequela " SEQUELA_VERSION "\n")) << version;
  for (const char* what :
       {"commit", "torch", "Arrow", "CPU", "kernels", "fp32", "bf16", "int8", "GPUs"})
    EXPECT_NE(version.find(std::string("\n  ") + what + " "), std::string::npos) << version;
  const std::string machine = run_sequela({"inspect"}).out;
  EXPECT_NE(machine.find("GFLOP/s"), std::string::npos) << machine;
  for (const char* name : {"etl", "check", "synth", "prepare", "pretrain", "features", "finetune",
                           "follow", "label", "encode", "compare", "evaluate", "report", "inspect",
                           "doctor", "slurm", "demo", "completion", "man"}) {
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
           {"pretrain", "--data", "x", "--model", "y", "--precision", "fp8"},
           {"pretrain", "--data", "x", "--model", "y", "--recipe", "motor"},
           {"pretrain", "--data", "x", "--model", "y", "--size", "huge"},
           {"pretrain", "--data", "x", "--model", "y", "--schedule", "step"},
           {"pretrain", "--data", "x", "--model", "y", "--kernels", "fast"},
           {"pretrain", "--data", "x", "--model", "y", "--device", "tpu"},
           {"pretrain", "--data", "x", "--model", "y", "--loss-scale", "labels"},
           {"pretrain", "--objective", "mlm", "--meds", "x", "--model", "y", "--size", "tiny"}}) {
    const CommandResult result = run_sequela(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.err.rfind("sequela: error: ", 0), 0u) << result.err;
  }
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

TEST_F(Command, PretrainTakesFlagsOverTheFileOverTheSizeOverTheRecipe) {
  const std::string data = folder_ + "/data", files = folder_ + "/files";
  ASSERT_EQ(run_sequela({"synth", "--subjects", "60", "--out", data}).exit_code, 0);
  ASSERT_EQ(run_sequela({"prepare", "--meds", data + "/meds", "--athena", data + "/athena", "--out",
                         files, "--vocab-size", "2048", "--num-tasks", "64", "--tokens-per-batch",
                         "1024"})
                .exit_code,
            0);
  const std::string config =
      write("pretrain.toml", "[pretrain]\nhidden = 64\nheads = 4\naccumulate = 2\n");
  const CommandResult result =
      run_sequela({"pretrain", "--data", files, "--model", folder_ + "/model", "--config", config,
                   "--recipe", "femr", "--size", "tiny", "--heads", "2", "--max-steps", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string model = slurp(folder_ + "/model/config.json");
  for (const char* text :
       {"\"n_heads\": 2", "\"hidden_size\": 64", "\"n_layers\": 2", "\"intermediate_size\": 512"}) {
    EXPECT_NE(model.find(text), std::string::npos) << text << model.substr(0, 800);
  }
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

TEST_F(Command, SuggestsWhatWasMeant) {
  const auto error = [](const std::vector<std::string>& arguments) {
    const CommandResult result = run_sequela(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    return result.err;
  };
  EXPECT_EQ(error({"trian"}),
            "sequela: error: unknown command 'trian'; did you mean 'pretrain'?\n");
  EXPECT_NE(error({"banana"}).find("unknown command 'banana'. Fix: "), std::string::npos);
  EXPECT_NE(error({"prepare", "--vocabsize", "9"}).find("did you mean '--vocab-size'?"),
            std::string::npos);
  EXPECT_NE(error({"prepare", "--batch-formt=femr"}).find("did you mean '--batch-format'?"),
            std::string::npos);
  EXPECT_NE(
      error({"prepare", "--zzzzzzzz"}).find("unknown option '--zzzzzzzz' of `sequela prepare`. "),
      std::string::npos);
  EXPECT_NE(error({"prepare", "--meds", "x", "--out", "y", "--batch-format", "compcat"})
                .find("did you mean 'compact'?"),
            std::string::npos);
  EXPECT_NE(error({"prepare", "--meds", "x", "--out", "y", "--time-zone", "locla"})
                .find("did you mean 'local'?"),
            std::string::npos);
  EXPECT_NE(error({"synth", "--out", "x", "--config", write("a.toml", "[synth]\nsubject = 7\n")})
                .find("did you mean '--subjects'?"),
            std::string::npos);
}

// Each choice that --help shows is what the command takes: another word is refused with the same
// list, and a word near one of them with a suggestion.
TEST_F(Command, EveryChoiceSuggestsItsWords) {
  const std::string out = folder_ + "/o";
  const std::vector<std::vector<std::string>> commands = {
      {"prepare", "--meds", "x", "--out", out},
      {"pretrain", "--data", "x", "--model", out},
      {"pretrain", "--objective", "mlm", "--meds", "x", "--model", out},
      {"features", "--meds", "x", "--model", "y", "--labels", "z", "--out", out},
      {"finetune", "--meds", "x", "--model", "y", "--labels", "z", "--out", out},
      {"follow", "--model", "x"},
      {"encode", "--model", "x", "--out", out, "--input", "y.csv"},
      {"compare", "--meds", "x", "--labels", "y", "--model", "z", "--out", out}};
  std::set<std::string> tried;
  for (const auto& command : commands) {
    for (const Choice& choice : choices_of(command[0])) {
      const bool is_mlm = command[1] == "--objective";
      if (is_mlm && (choice.option == "--objective" || choice.option == "--device")) continue;
      const std::string wrong = choice.words[0] + "x";
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), {choice.option, wrong});
      const CommandResult result = run_sequela(arguments);
      ASSERT_EQ(result.exit_code, 2) << command[0] << " " << choice.option << ": " << result.err;
      if (result.err.find("no option of this objective") != std::string::npos) continue;
      tried.insert(command[0] + choice.option);
      EXPECT_NE(result.err.find("did you mean '" + choice.words[0] + "'?"), std::string::npos)
          << command[0] << " " << choice.option << ": " << result.err;
      const std::string listed = result.err.substr(result.err.find("Fix: "));
      for (const std::string& word : choice.words) {
        EXPECT_NE(listed.find(word), std::string::npos) << choice.option << ": " << result.err;
      }
    }
  }
  EXPECT_EQ(tried.size(), 58u);
}

TEST_F(Command, OneNameAndOneMinimumInAllCommands) {
  for (const char* name : {"prepare", "features", "encode", "pretrain"}) {
    EXPECT_NE(run_sequela({name, "--help"}).out.find("--tokens-per-batch"), std::string::npos)
        << name;
  }
  for (const char* name : {"pretrain", "compare"}) {
    EXPECT_NE(run_sequela({name, "--help"}).out.find("--layers"), std::string::npos) << name;
  }
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"synth", "--out", folder_ + "/x"},
           {"features", "--meds", "x", "--model", "y", "--labels", "z", "--out", folder_ + "/o"},
           {"prepare", "--meds", "x", "--out", folder_ + "/o"}}) {
    auto with_memory = arguments;
    with_memory.insert(with_memory.end(), {"--memory", "255M"});
    const CommandResult result = run_sequela(with_memory);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err.find("256M"), std::string::npos) << result.err;
  }
}

TEST_F(Command, OldNamesOfOptionsAreTakenAndSaid) {
  const std::string config = write("c.toml", "[encode]\ntokens-per-pass = 0\n");
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--tokens-per-pass", "0"}, {"--config", config}}) {
    std::vector<std::string> arguments = {"encode",       "--model", "x",    "--out",
                                          folder_ + "/o", "--input", "y.csv"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandResult result = run_sequela(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err.find("--tokens-per-pass is an old name; it is --tokens-per-batch now"),
              std::string::npos)
        << result.err;
    EXPECT_NE(result.err.find("tokens-per-batch: '0' is not allowed"), std::string::npos)
        << result.err;
  }
}

TEST_F(Command, OldNamesStandForTheNewOnes) {
  const std::string out = folder_ + "/o";
  const auto error = [](const std::vector<std::string>& arguments) {
    return run_sequela(arguments).err;
  };
  EXPECT_NE(error({"compare", "--meds", "x", "--labels", "y", "--pretrained", "z", "--out", out})
                .find("--pretrained is an old name; it is --model now"),
            std::string::npos);
  EXPECT_NE(error({"features", "--meds", "x", "--model", "y", "--labels", "z", "--out", out,
                   "--ontology", "o.parquet"})
                .find("--ontology is an old name; it is --athena now"),
            std::string::npos);
  EXPECT_NE(error({"encode", "--model", "x", "--out", out, "--meds", "y", "--encounter-column=v"})
                .find("--encounter-column is an old name; it is --visit-column now"),
            std::string::npos);
}

TEST_F(Command, QuietPrintsNoSummary) {
  const CommandResult result =
      run_sequela({"synth", "--subjects", "5", "--out", folder_ + "/a", "--quiet"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out + result.err, "");
}

TEST_F(Command, AVocabularyOfBinsAloneIsRefusedAtOnce) {
  const CommandResult result =
      run_sequela({"prepare", "--meds", folder_, "--out", folder_ + "/o", "--vocab-size", "900"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("vocab-size: '900' is not allowed. Fix: give 1001 or more"),
            std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("num-numeric"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ + "/o"));
}

}  // namespace
}  // namespace sequela
