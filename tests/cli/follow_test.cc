// `sequela follow` as a user calls it: pipes, signals, exit codes.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "tests/cli/run_command.h"
#include "tests/pipeline/live_bundle.h"

namespace sequela {
namespace {

class FollowCommand : public testing::Test {
 protected:
  // A line of the shell in which $FOLLOW is the command with the bundle. Its exit code.
  int shell(const std::string& line) {
    const LiveOptions options = bundle_.options();
    const std::string follow = str(SEQUELA_BINARY " follow --threads 1 --model ", options.model,
                                   " --athena ", options.athena, " --codes ", options.codes);
    write("line.sh", str("set -o pipefail\ncd '", folder_.path(), "'\nFOLLOW='", follow, "'\n{ ",
                         line, "; } > out 2> err\n"));
    const int status = std::system(str("bash '", folder_ / "line.sh", "'").c_str());
    out_ = slurp(folder_ / "out");
    err_ = slurp(folder_ / "err");
    return WEXITSTATUS(status);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

  LiveBundle bundle_;
  TestFolder folder_;
  std::string out_, err_;
};

constexpr const char* kTwoLines =
    "{\"subject_id\": 7, \"time\": \"1960-03-01\", \"code\": \"MEDS_BIRTH\"}\n"
    "{\"subject_id\": 7, \"time\": \"1961-03-01T08:00:00Z\", \"code\": \"Visit/IP\"}\n";

TEST_F(FollowCommand, AnswersLineByLine) {
  write("events", kTwoLines);
  ASSERT_EQ(shell("cat events | $FOLLOW --task ATC/G --horizon 30"), 0) << err_;
  EXPECT_EQ(std::ranges::count(out_, '\n'), 2);
  EXPECT_EQ(out_.find("{\"subject_id\":7,\"time\":\"1960-03-01T00:00:00\",\"outcome\":\"grew_"),
            0u);
  EXPECT_NE(out_.find("\"risks\":{\"ATC/G\":0."), std::string::npos) << out_;
  EXPECT_EQ(out_.find("embedding"), std::string::npos) << out_;
  EXPECT_NE(err_.find("Answered 2 events of 1 patients"), std::string::npos) << err_;
  EXPECT_NE(err_.find("times of the events"), std::string::npos) << err_;
  const std::string lines = out_;

  ASSERT_EQ(shell("$FOLLOW --quiet --out answers --task ATC/G --horizon 30 < events"), 0) << err_;
  ASSERT_EQ(shell("$FOLLOW --quiet --out answers --task ATC/G --horizon 30 < events"), 0) << err_;
  EXPECT_EQ(slurp(folder_ / "answers"), lines + lines);
  EXPECT_EQ(out_ + err_, "");
  EXPECT_NE(slurp(folder_ / "answers.options.toml").find("horizon = \"30\""), std::string::npos);

  ASSERT_EQ(shell("$FOLLOW --task ATC/G --task ATC/N --embedding < events"), 0) << err_;
  EXPECT_NE(out_.find("\"embedding\":["), std::string::npos);
  ASSERT_EQ(shell("$FOLLOW < events"), 0) << err_;
  EXPECT_EQ(out_.find("risks"), std::string::npos);
  EXPECT_NE(out_.find("\"embedding\":["), std::string::npos);
}

TEST_F(FollowCommand, AnswersWhileTheInputIsOpen) {
  write("events", kTwoLines);
  // The answers are there before the input ends.
  ASSERT_EQ(shell("{ cat events; for i in {1..600}; do [ -s answers ] && break; sleep 0.1; done; "
                  "wc -l < answers; } | tee seen | $FOLLOW --bad-events skip --out answers"),
            0)
      << err_;
  EXPECT_NE(slurp(folder_ / "seen").find("\n2\n"), std::string::npos) << slurp(folder_ / "seen");
}

TEST_F(FollowCommand, ExitCodesAreThoseOfOtherCommands) {
  write("bad", std::string(kTwoLines) + "SECRET\n");
  EXPECT_EQ(shell("$FOLLOW < bad"), 3);
  EXPECT_NE(err_.find("sequela: error: standard input, line 3: no JSON object. Fix: "),
            std::string::npos)
      << err_;
  EXPECT_EQ(err_.find("SECRET"), std::string::npos);
  EXPECT_EQ(std::ranges::count(out_, '\n'), 2);
  EXPECT_EQ(shell("$FOLLOW --bad-events skip < bad"), 0);
  EXPECT_NE(err_.find("warning: 1 bad events were skipped"), std::string::npos) << err_;
  EXPECT_EQ(shell("$FOLLOW --task Vist/IP < bad"), 2);
  EXPECT_NE(err_.find("did you mean 'Visit/IP'?"), std::string::npos) << err_;
  EXPECT_EQ(shell("$FOLLOW --memory 255M < bad"), 2);
  EXPECT_EQ(shell("$FOLLOW --once < bad"), 2);
  EXPECT_EQ(shell("$FOLLOW --meds /nowhere --once"), 3);
  EXPECT_EQ(shell("$FOLLOW --out /nowhere/answers < bad"), 4);
  EXPECT_EQ(shell(SEQUELA_BINARY " follow --model /nowhere < bad"), 4);
}

// It waits for further shards when the signal comes. With job control a background job takes
// SIGINT.
TEST_F(FollowCommand, ASignalIsAnOrderlyEnd) {
  for (const std::string signal : {"TERM", "INT"}) {
    EXPECT_EQ(shell(str("set -m; $FOLLOW --meds ", LiveBundle::meds(), " --states states", signal,
                        " --out answers", signal, " & for i in {1..3000}; do [ -s answers", signal,
                        " ] && break; sleep 0.1; done; kill -", signal, " $!; wait $!")),
              0)
        << err_;
    EXPECT_NE(err_.find("Answered "), std::string::npos) << err_;
    EXPECT_TRUE(std::filesystem::exists(folder_ / ("states" + signal + "/follow.json")));
  }
}

}  // namespace
}  // namespace sequela
