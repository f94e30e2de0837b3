#include "sequela/core/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sequela {
namespace {

TEST(QuietScope, LowersInfoAndDropsProgress) {
  std::vector<std::string> seen;
  set_log_sink([&](LogLevel level, const std::string& message) {
    seen.push_back((level == LogLevel::debug ? "debug " : "other ") + message);
  });
  set_progress_sink([&](const ProgressState& state) { seen.push_back("progress " + state.label); });
  {
    Progress whole("whole", 1, "parts");
    {
      const QuietScope quiet;
      Progress part("part", 1, "steps");
      part.advance(1);
      log_info("step");
      log_warning("careful");
    }
    log_info("done");
  }
  set_log_sink(nullptr);
  set_progress_sink(nullptr);
  EXPECT_EQ(seen, (std::vector<std::string>{"debug step", "other careful", "other done",
                                            "progress whole"}));
}

}  // namespace
}  // namespace sequela
