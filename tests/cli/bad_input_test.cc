// Every broken input of the reference data, through the command as a user would give it.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "tests/cli/run_command.h"
#include "tests/support/shared.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    SEQUELA_NEED_SHARED();
    out_ = testing::TempDir() + "/bad-out";
    fs::remove_all(out_);
  }

  static std::string bad(const std::string& name) { return shared_path("data/bad/" + name); }

  // The command that a user would give an input of this kind to.
  std::vector<std::string> command_for(const std::string& kind, const std::string& name) const {
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
  std::vector<std::string> features(const std::string& model, const std::string& labels) const {
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

  void check(const Json& entry) {
    const auto name = entry["name"].get<std::string>();
    SCOPED_TRACE(name);
    const auto command = command_for(entry["kind"].get<std::string>(), name);
    if (command.empty()) return;
    fs::remove_all(out_);
    const CommandResult result = run_sequela(command);
    const auto expect = entry["expect"].get<std::string>();
    const bool may_accept = expect.find("accept") != std::string::npos ||
                            expect.find("skip") != std::string::npos ||
                            expect.find("break") != std::string::npos;
    const bool may_reject = expect.find("reject") != std::string::npos;
    EXPECT_LE(result.seconds, entry["limits"]["seconds"].get<double>());
    EXPECT_LE(result.peak_mib, entry["limits"]["resident_mib"].get<int64_t>());
    if (result.exit_code == 0) {
      EXPECT_TRUE(may_accept) << "accepted; stderr: " << result.err;
      return;
    }
    EXPECT_TRUE(may_reject) << result.err;
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
};

TEST_F(BadInput, EveryEntryGetsItsAnswer) {
  const std::string path = bad("manifest.json");
  const Json manifest = parse_json(read_file(path), path);
  for (const Json& entry : manifest["entries"]) check(entry);
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
