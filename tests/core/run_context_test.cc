#include "sequela/core/run_context.h"

#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/parallel.h"

namespace sequela {
namespace {

TEST(RunContext, MessagesOfTwoRunsDoNotMeet) {
  RunContext runs[2];
  std::vector<std::string> heard[2];
  for (int r = 0; r < 2; ++r) {
    runs[r].set_log_sink(
        [&, r](LogLevel, const std::string& message) { heard[r].push_back(message); });
    runs[r].set_progress_sink(
        [&, r](const ProgressState& state) { heard[r].push_back(state.label); });
  }
  const auto work = [&](int r) {
    const RunScope scope(runs[r]);
    for (int i = 0; i < 100; ++i) log_info(std::to_string(r));
    const Progress progress(std::to_string(r), 1, "steps");
  };
  { const std::jthread one(work, 0), two(work, 1); }
  log_info("of neither");
  for (int r = 0; r < 2; ++r) EXPECT_EQ(heard[r], std::vector<std::string>(101, std::to_string(r)));
}

TEST(RunContext, AStopIsOfOneRunOrOfTheProcess) {
  const RunContext stopped, other;
  stopped.request_stop(SIGTERM);
  {
    const RunScope scope(stopped);
    EXPECT_EQ(stop_signal(), SIGTERM);
    EXPECT_THROW(throw_if_stopped(), Interrupted);
    const RunScope inner(other);
    EXPECT_EQ(stop_signal(), 0);
  }
  EXPECT_EQ(stop_signal(), 0);
  request_stop(SIGINT);  // outside of any run: all of them
  EXPECT_EQ(other.stop_signal(), SIGINT);
  EXPECT_EQ(stopped.stop_signal(), SIGTERM);
  reset_stop();
  EXPECT_EQ(other.stop_signal(), 0);
  stopped.reset_stop();
  EXPECT_EQ(stopped.stop_signal(), 0);
}

TEST(RunContext, ThreadsOfARunBelongToIt) {
  const RunContext run;
  run.request_stop(SIGINT);
  const RunScope scope(run);
  EXPECT_THROW(parallel_for(8, 4, [](int64_t, int) { throw_if_stopped(); }), Interrupted);
  std::vector<int> seen(64);
  parallel_for(64, 4, [&](int64_t i, int) { seen[i] = stop_signal(); });
  EXPECT_EQ(seen, std::vector<int>(64, SIGINT));
}

}  // namespace
}  // namespace sequela
