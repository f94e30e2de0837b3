// What the command writes for shells and for man, read by the shells and man themselves.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/cli/run_command.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

bool is_there(const std::string& program) {
  return std::system(("command -v " + program + " > /dev/null").c_str()) == 0;
}

class ShellHelp : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/shell-help-test";
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/a folder");
    fs::create_directories(folder_ + "/kept");
    for (const char* name : {"/a file.csv", "/keen.csv"}) std::ofstream(folder_ + name) << "x\n";
  }

  // Standard output and errors of a command of the shell, run in folder_.
  std::string run(const std::string& command) {
    std::string output;
    FILE* pipe = popen(("cd '" + folder_ + "' && (" + command + ") 2>&1").c_str(), "r");
    char buffer[4096];
    while (const size_t count = fread(buffer, 1, sizeof(buffer), pipe))
      output.append(buffer, count);
    EXPECT_EQ(pclose(pipe), 0) << command << "\n" << output;
    return output;
  }

  std::string write_script(const std::string& shell) {
    const CommandResult result = run_sequela({"completion", shell});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    std::ofstream(folder_ + "/script." + shell) << result.out;
    return "script." + shell;
  }

  // What bash offers for the last of these words, as it splits a line into them; sorted.
  std::vector<std::string> bash_offers(const std::vector<std::string>& words) {
    std::string quoted;
    for (const std::string& word : words) quoted += " '" + word + "'";
    std::ofstream(folder_ + "/.ask.bash")
        << "source script.bash\n[[ $(complete -p sequela) == *'-F _sequela'* ]] || exit 1\n"
        << "COMP_WORDS=(" << quoted << ")\nCOMP_CWORD=" << words.size() - 1
        << "\n_sequela\n[ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' \"${COMPREPLY[@]}\" | sort\n";
    std::istringstream lines(run("bash .ask.bash"));
    std::vector<std::string> offers;
    for (std::string line; std::getline(lines, line);) offers.push_back(line);
    return offers;
  }

  std::string folder_;
};

using Words = std::vector<std::string>;

TEST_F(ShellHelp, BashCompletesCommandsOptionsValuesAndPaths) {
  write_script("bash");
  EXPECT_EQ(bash_offers({"sequela", "pre"}), (Words{"prepare", "pretrain"}));
  EXPECT_EQ(bash_offers({"sequela", "--v"}), Words{"--version"});
  EXPECT_EQ(bash_offers({"sequela", "prepare", "--tok"}),
            (Words{"--tokenizer-on", "--tokens-per-batch"}));
  EXPECT_EQ(bash_offers({"sequela", "prepare", "--batch-format", ""}), (Words{"compact", "femr"}));
  EXPECT_EQ(bash_offers({"sequela", "encode", "--precision", "=", "b"}), Words{"bf16"});
  EXPECT_EQ(bash_offers({"sequela", "encode", "--precision", "="}).size(), 4u);
  EXPECT_EQ(bash_offers({"sequela", "features", "--read-out", "last+"}), Words{"last+history"});
  EXPECT_EQ(bash_offers({"sequela", "prepare", "--vocab-size", ""}), Words{});
  EXPECT_EQ(bash_offers({"sequela", "prepare", "--out", "a"}), Words{"a folder"});
  EXPECT_EQ(bash_offers({"sequela", "encode", "--input", "a"}), (Words{"a file.csv", "a folder"}));
  EXPECT_EQ(bash_offers({"sequela", "inspect", "a f"}), (Words{"a file.csv", "a folder"}));
  EXPECT_EQ(bash_offers({"sequela", "completion", ""}), (Words{"bash", "fish", "zsh"}));
  EXPECT_EQ(bash_offers({"sequela", "man", "in"}), Words{"inspect"});
  EXPECT_EQ(bash_offers({"sequela", "banana", ""}), Words{});
}

TEST_F(ShellHelp, EveryOptionOfEveryCommandIsOffered) {
  write_script("bash");
  const Words commands = bash_offers({"sequela", "man", ""});
  EXPECT_EQ(commands.size(), 20u);
  for (const std::string& command : commands) {
    const std::string help = run_sequela({command, "--help"}).out;
    const Words offered = bash_offers({"sequela", command, "--"});
    for (const std::string& option : offered) {
      EXPECT_NE(help.find(option + " "), std::string::npos) << command << " " << option;
    }
    // One for each line of --help that begins with an option.
    std::istringstream lines(help);
    size_t num_options = 0;
    for (std::string line; std::getline(lines, line);) {
      num_options +=
          line.starts_with("  --") || line.starts_with("  -h,") || line.starts_with("  -q,");
    }
    EXPECT_EQ(offered.size(), num_options) << command;
  }
}

TEST_F(ShellHelp, ZshCompletes) {
  if (!is_there("zsh")) GTEST_SKIP() << "zsh is not installed: install package zsh";
  const std::string script = write_script("zsh");
  run("zsh -n " + script);
  // A terminal of zsh's own, whose Tab completes; each line can be completed in one way only.
  std::ofstream(folder_ + "/ask.zsh") << R"(
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "autoload -U compinit; compinit -D -u; source $1; bindkey '^I' complete-word; print REA''DY"
zpty -r -m shell seen '*READY*' || exit 1
zpty -w -n shell "$2"$'\t'
zpty -r -m shell seen "*$3*" || exit 1
)";
  for (const auto& [line, wanted] : std::vector<std::pair<std::string, std::string>>{
           {"sequela pret", "sequela pretrain"},
           {"sequela prepare --batch-f", "--batch-format"},
           {"sequela prepare --batch-format=f", "--batch-format=femr"},
           {"sequela encode --precision b", "--precision bf16"},
           {"sequela synth --out ke", "--out kept"},
           {"sequela completion fi", "completion fish"}}) {
    run("timeout 60 zsh -f ask.zsh " + script + " \"" + line + "\" \"" + wanted + "\"");
  }
}

TEST_F(ShellHelp, FishCompletes) {
  if (!is_there("fish")) GTEST_SKIP() << "fish is not installed: install package fish";
  const std::string script = write_script("fish");
  run("fish --no-execute " + script);
  const auto offers = [&](const std::string& line) {
    return run("HOME=. fish -c 'source " + script + "; complete -C \"" + line + "\"' | sort");
  };
  EXPECT_EQ(offers("sequela pretr"),
            "pretrain\tTrain a model on prepared batches, or an encoder on MEDS data\n");
  EXPECT_EQ(offers("sequela prepare --tokens"),
            "--tokens-per-batch\tTokens in a batch at the most\n");
  EXPECT_EQ(offers("sequela completion "), "bash\nfish\nzsh\n");
  EXPECT_NE(offers("sequela prepare --batch-format ").find("femr\t"), std::string::npos);
  EXPECT_NE(offers("sequela encode --input ./a").find("file.csv"), std::string::npos);
  EXPECT_EQ(offers("sequela synth --out ./a").find("file.csv"), std::string::npos);
}

TEST_F(ShellHelp, ManPagesAreSoundRoff) {
  ASSERT_EQ(run_sequela({"man", "--out", folder_ + "/man"}).exit_code, 0);
  size_t num_pages = 0;
  for (const auto& page : fs::directory_iterator(folder_ + "/man")) {
    ++num_pages;
    const std::string text = slurp(page.path().string());
    for (const char* section : {".SH NAME\n", ".SH SYNOPSIS\n", ".SH OPTIONS\n", ".SH SEE ALSO\n"})
      EXPECT_NE(text.find(section), std::string::npos) << page << section;
    if (is_there("groff")) {
      EXPECT_EQ(run("groff -ww -z -man -Tutf8 '" + page.path().string() + "'"), "") << page;
    }
  }
  EXPECT_EQ(num_pages, 21u);
  if (!is_there("groff")) GTEST_SKIP() << "groff is not installed: install package groff-base";
}

TEST_F(ShellHelp, ManPagesSayWhatTheOptionsSay) {
  const std::string page = run_sequela({"man", "prepare"}).out;
  EXPECT_NE(page.find(".TP\n\\fB\\-\\-batch\\-format\\fR \\fBcompact\\fR|\\fBfemr\\fR\n"),
            std::string::npos);
  EXPECT_NE(page.find("Default: 16384.\n"), std::string::npos);
  EXPECT_NE(page.find(".SS Tokenizer\n"), std::string::npos);
  EXPECT_NE(page.find("sequela prepare \\-\\-meds meds \\-\\-athena athena"), std::string::npos);
  EXPECT_NE(run_sequela({"man"}).out.find(".SH EXIT STATUS\n"), std::string::npos);
}

TEST_F(ShellHelp, WrongWordsAreAnswered) {
  const CommandResult man = run_sequela({"man", "prepair"});
  EXPECT_EQ(man.exit_code, 2);
  EXPECT_NE(man.err.find("did you mean 'prepare'?"), std::string::npos) << man.err;
  const CommandResult shell = run_sequela({"completion", "bsh"});
  EXPECT_EQ(shell.exit_code, 2);
  EXPECT_NE(shell.err.find("did you mean 'bash'?"), std::string::npos) << shell.err;
  EXPECT_EQ(run_sequela({"completion"}).exit_code, 2);
  EXPECT_EQ(run_sequela({"man", "--out", "/dev/null/x"}).exit_code, 4);
}

}  // namespace
}  // namespace sequela
