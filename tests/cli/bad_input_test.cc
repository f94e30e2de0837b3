// Every broken input, through the command as a user would give it.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/run_command.h"
#include "tests/support/bad_inputs.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    out_ = testing::TempDir() + "/bad-out";
    fs::remove_all(out_);
  }

  std::string bad(const std::string& name) { return inputs_.path(name); }

  // The command that a user would give an input of this kind to.
  std::vector<std::string> command_for(const std::string& kind, const std::string& name) {
    const std::string good = bad("good_controls");
    if (kind == "meds" || kind == "meds_reader") return prepare(bad(name), {});
    if (kind == "athena") return prepare(good + "/meds", {"--athena", bad(name)});
    if (kind == "split") return prepare(good + "/meds", {"--split", bad(name) + "/split.csv"});
    if (kind == "model") return features(bad(name), good + "/labels.parquet");
    if (kind == "labels") return features(good + "/model", bad(name) + "/labels.parquet");
    return {};
  }
  std::vector<std::string> prepare(const std::string& meds, std::vector<std::string> more) const {
    std::vector<std::string> command = {"prepare", "--meds", meds, "--out", out_};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  std::vector<std::string> features(const std::string& model, const std::string& labels) {
    return {"features", "--meds", bad("good_controls/meds"), "--model", model, "--labels", labels,
            "--out",    out_};
  }

  // Names of finished artifacts that lie in the output folder.
  std::vector<std::string> finished() const {
    std::vector<std::string> names;
    if (!fs::exists(out_)) return names;
    for (const char* name : {"train_batches", "val_batches", "features.parquet", "features.npz"}) {
      if (fs::exists(out_ + "/" + name)) names.push_back(name);
    }
    return names;
  }

  void check(const BadKind& entry) {
    SCOPED_TRACE(entry.name);
    const auto command = command_for(entry.kind, entry.name);
    fs::remove_all(out_);
    const CommandResult result = run_sequela(command);
    EXPECT_LE(result.seconds, entry.seconds);
    EXPECT_LE(result.peak_mib, entry.resident_mib);
    if (result.exit_code == 0) {
      EXPECT_TRUE(entry.may_accept) << "accepted; stderr: " << result.err;
      return;
    }
    EXPECT_TRUE(entry.may_reject) << result.err;
    EXPECT_TRUE(result.exit_code >= 2 && result.exit_code <= 4)
        << result.exit_code << " " << result.err;
    // The last line is the one error; what stood before it is information and warnings.
    const size_t at = result.err.rfind("sequela: error: ");
    ASSERT_NE(at, std::string::npos) << result.err;
    const std::string line = result.err.substr(at);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_LT(line.size(), 1000u);
    EXPECT_NE(line.find("bad/"), std::string::npos) << "names no file: " << line;
    EXPECT_TRUE(finished().empty()) << "left " << finished().front();
  }

  std::string out_;

 private:
  BadInputs inputs_;
};

TEST_F(BadInput, EveryEntryGetsItsAnswer) {
  for (const BadKind& entry : bad_kinds()) check(entry);
}

TEST_F(BadInput, UnbrokenControlsAreAccepted) {
  const std::string good = bad("good_controls");
  for (const auto& command : {prepare(good + "/meds", {}), prepare(good + "/meds_reader", {}),
                              prepare(good + "/meds", {"--athena", good + "/athena"}),
                              prepare(good + "/meds", {"--split", good + "/split.csv"}),
                              features(good + "/model", good + "/labels.parquet")}) {
    fs::remove_all(out_);
    const CommandResult result = run_sequela(command);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_FALSE(finished().empty());
  }
}

TEST_F(BadInput, SkippedLabelsAreListed) {
  const std::string good = bad("good_controls");
  for (const auto& [name, count] : {std::pair{"28_labels_unknown_subjects", 5},
                                    std::pair{"29_labels_before_first_event", 10}}) {
    fs::remove_all(out_);
    const CommandResult result =
        run_sequela(features(good + "/model", bad(name) + "/labels.parquet"));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const std::string skipped = slurp(out_ + "/skipped.csv");
    EXPECT_EQ(std::count(skipped.begin(), skipped.end(), '\n'), count + 1) << skipped;
  }
}

}  // namespace
}  // namespace sequela
