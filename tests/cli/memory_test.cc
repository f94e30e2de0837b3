// Commands stay under --memory.
#include <gtest/gtest.h>

#include "tests/cli/run_command.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

TEST(Memory, PrepareStaysUnderIt) {
  const TestFolder folder;
  constexpr int64_t kMebibytes = 300;
  ASSERT_EQ(run_sequela({"synth", "--subjects", "2000", "--out", folder / "data"}).exit_code, 0);
  const CommandResult result = run_sequela(
      {"prepare", "--meds", folder / "data/meds", "--athena", folder / "data/athena", "--out",
       folder / "out", "--threads", "16", "--memory", std::to_string(kMebibytes) + "M"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_LT(result.peak_mib, kMebibytes);

  const CommandResult refused = run_sequela(
      {"prepare", "--meds", folder / "data/meds", "--out", folder / "none", "--memory", "255M"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("256M"), std::string::npos) << refused.err;
}

TEST(Memory, SynthStaysUnderIt) {
  const TestFolder folder;
  for (const auto& [subjects, mib] : {std::pair{"35000", 300}, std::pair{"16000", 450}}) {
    const CommandResult result =
        run_sequela({"synth", "--subjects", subjects, "--out", folder / "a", "--threads", "16",
                     "--memory", std::to_string(mib) + "M"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_LT(result.peak_mib, mib);
  }
}

}  // namespace
}  // namespace sequela
