// Methods side by side: bundles and encoders.
#include "sequela/evaluation/metrics.h"
#include "sequela/meds/predictions.h"
#include "tests/pipeline/evaluated_methods.h"
#include "tests/support/manifest_of.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

TEST_F(EvaluateMethods, TheBundleTellsWhomItHasSeen) {
  EvaluateMethodsOptions options = this->options("out");
  options.model = *files_ / "bundle";
  options.methods = {"probe"};
  std::map<std::string, std::string> statuses;
  const Json evaluation = run(options);
  for (const Json& leak : evaluation.at("leaks"))
    statuses[leak.at("check")] = leak.at("status").get<std::string>();
  ASSERT_EQ(statuses.size(), 7u);
  EXPECT_EQ(statuses.at("pretraining_subjects"), "passed");
  EXPECT_EQ(statuses.at("subjects_on_two_sides"), "passed");
  // The other way round: what it was pretrained on becomes the test side.
  std::vector<int64_t> subjects;
  std::vector<std::string> names;
  for (int64_t subject = 1; subject <= kNumSubjects; ++subject) {
    const std::string split = MadeUpCohort::split_of(subject);
    subjects.push_back(subject);
    names.emplace_back(split == "held_out" ? "tuning" : subject % 5 == 2 ? "held_out" : "train");
  }
  options.splits = folder_ / "splits.parquet";
  write_parquet(options.splits,
                {{.name = "subject_id", .values = subjects}, {.name = "split", .values = names}});
  options.out = folder_ / "leaky";
  options.leaks = LeakRule::fail;
  expect_error(options, "has learned from 60 of 60 test subjects");
  options.leaks = LeakRule::off;
  EXPECT_EQ(run(options).at("leaks").size(), 0u);
}

TEST_F(EvaluateMethods, FineTunesEndToEnd) {
  EvaluateMethodsOptions options = this->options("out");
  options.model = *files_ / "bundle";
  options.methods = {"probe", "finetune", "lora"};
  options.read_out = ReadOut::last;
  const Json evaluation = run(options);
  const auto methods = by_method(evaluation.at("tasks").at(0));
  ASSERT_EQ(methods.size(), 3u);
  for (const char* name : {"finetune", "lora"}) {
    EXPECT_EQ(methods.at(name).at("num_rows"), 60);
    EXPECT_TRUE(fs::exists(options.out + "/tuned/onset/" + name + "/model.safetensors"));
    EXPECT_FALSE(fs::exists(options.out + "/tuned/onset/" + std::string(name) + "_inputs"));
  }
  for (const Json& point : evaluation.at("tasks").at(0).at("few_shot").at("points")) {
    if (point.at("method") != "probe") {
      EXPECT_TRUE(point.at("k").is_null());
    }
  }
}

TEST_F(EvaluateMethods, AnyEncoderOfTheBertFamily) {
  EvaluateMethodsOptions options = this->options("out");
  options.methods = {"encoder", "age_sex"};
  options.encoders = {"codes=" + reference_path("bert/a_bert/model_st")};
  options.shots.clear();
  const auto methods = by_method(run(options).at("tasks").at(0));
  // Random weights over two known codes, one of which most true labels have.
  EXPECT_GT(auroc(methods.at("codes")), 0.6);
}

}  // namespace
}  // namespace sequela
