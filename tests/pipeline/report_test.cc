// What is written about runs: the model card, the report's page, a patient's timeline.
#include "sequela/pipeline/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/model/encoder_config.h"
#include "sequela/pipeline/model_card.h"
#include "sequela/pipeline/patient_timeline.h"
#include "tests/pipeline/live_bundle.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/manifest_of.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

size_t count(const std::string& text, const std::string& what) {
  size_t number = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++number;
  return number;
}

// A tiny run from records to a bundle, made once.
class ReportOfRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = std::make_unique<TestFolder>();
    prepare(small_prepare(*files_ / "prepared"));
    pretrain(pretrain_options());
  }
  static void TearDownTestSuite() { files_.reset(); }

  static PretrainOptions pretrain_options() {
    PretrainOptions options =
        small_pretrain(*files_ / "prepared", *files_ / "output", *files_ / "bundle");
    options.train.log_every = 1;
    return options;
  }
  static std::string meds() { return reference_path("motor/g60/meds"); }
  TimelineOptions timeline_options(int64_t subject_id) const {
    return {.subject_id = subject_id, .meds = meds(), .model = *files_ / "bundle"};
  }

  static inline std::unique_ptr<TestFolder> files_;
};

TEST_F(ReportOfRun, ABundleHasACardOfItsManifest) {
  const std::string card = read_file(*files_ / "bundle/README.md");
  EXPECT_TRUE(card.starts_with("---\nlibrary_name: sequela\ntags:\n- ehr\n- meds\n- motor\n"))
      << card;
  EXPECT_NE(card.find("\n---\n\n# bundle\n"), std::string::npos);
  const Json report = artifact_of(*files_ / "bundle", "pretrain").at("report");
  EXPECT_EQ(report.at("data").at("subjects"), 60);
  for (const char* part : {"| subjects | 60 |", "2 steps", "gain over constant hazards",
                           "## Intended use and limits", "Not chosen yet", "--model bundle "}) {
    EXPECT_NE(card.find(part), std::string::npos) << part << "\n" << card;
  }
  EXPECT_NE(card.find("of the subjects validate, by a hash"), std::string::npos) << card;
  EXPECT_EQ(count(card, files_->path()), 0u);
  EXPECT_EQ(card, model_card(*files_ / "bundle", "bundle"));
}

TEST_F(ReportOfRun, ACardMayBeEdited) {
  const std::string before = read_file(*files_ / "bundle/README.md");
  write_file(*files_ / "bundle/README.md", "# mine\n");
  EXPECT_TRUE(pretrain(pretrain_options()).is_up_to_date);
  EXPECT_EQ(read_file(*files_ / "bundle/README.md"), "# mine\n");
  write_file(*files_ / "bundle/README.md", before);
}

TEST_F(ReportOfRun, ACellEndsWhereItShould) {
  fs::copy(*files_ / "bundle", *files_ / "bars", fs::copy_options::recursive);
  const std::string path = *files_ / "bars/manifest.json";
  Json manifest = parse_json(read_file(path), path);
  manifest["artifacts"]["pretrain"]["recipe"]["parameters"]["odd"] = "a|b";
  write_file(path, manifest.dump());
  const std::string card = model_card(*files_ / "bars", "bars");
  EXPECT_NE(card.find("| odd | `a\\|b` |\n"), std::string::npos) << card;
}

TEST_F(ReportOfRun, ACodeIsNoMarkup) {
  fs::copy(*files_ / "bundle", *files_ / "odd", fs::copy_options::recursive);
  std::string config = read_file(*files_ / "odd/config.json");
  const std::string code = read_model_config(*files_ / "odd/config.json").motor->tasks.front().code;
  config.replace(config.find(code), code.size(), "a`](x)\\n# b");
  write_file(*files_ / "odd/config.json", config);
  const std::string card = model_card(*files_ / "odd", "odd");
  EXPECT_NE(card.find("Among them: `a ](x) # b`, "), std::string::npos) << card;
}

TEST_F(ReportOfRun, AnothersBundleHasACardWithoutAManifest) {
  const std::string card = model_card(tutorial_path("clmbr_model"), "org/mine");
  EXPECT_NE(card.find("# org/mine\n"), std::string::npos);
  EXPECT_NE(card.find("--model org/mine "), std::string::npos);
  EXPECT_NE(card.find("for its authors to say"), std::string::npos) << card;
}

TEST_F(ReportOfRun, AllRunsMakeOnePage) {
  const std::string path =
      report({.runs = {*files_ / "prepared", *files_ / "output", *files_ / "bundle"},
              .out = *files_ / "page.html"});
  const std::string page = read_file(path);
  EXPECT_EQ(path, *files_ / "page.html");
  for (const char* title : {"Events per subject", "Events by vocabulary", "Coverage", "Loss",
                            "Gain per event", "Learning rate", "Size of a step", "Throughput"}) {
    EXPECT_EQ(count(page, "data-title=\"" + std::string(title) + "\""), 1u) << title;
  }
  EXPECT_EQ(count(page, files_->path()), 0u);
  EXPECT_EQ(
      page,
      read_file(report({.runs = {*files_ / "prepared", *files_ / "output", *files_ / "bundle"},
                        .out = *files_ / "again.html"})));
}

TEST_F(ReportOfRun, ATimelineHasFollowsRisks) {
  const std::vector<OwnedEvent> all = events_of(meds());
  const int64_t subject = all.back().subject_id;
  std::vector<OwnedEvent> events;
  std::ranges::copy_if(all, std::back_inserter(events),
                       [&](const OwnedEvent& event) { return event.subject_id == subject; });
  TimelineOptions options = timeline_options(subject);
  const PatientTimeline likeliest = patient_timeline(options);
  const auto timed = std::ranges::count_if(
      events, [](const OwnedEvent& event) { return event.time_us != kNoTime; });
  ASSERT_EQ(likeliest.events.size(), static_cast<size_t>(timed));
  EXPECT_EQ(likeliest.events.front().age_years, 0);
  EXPECT_TRUE(std::ranges::is_sorted(likeliest.events, {}, &PatientTimeline::Event::age_years));

  options.tasks = {likeliest.risks.front().task};
  options.horizon_days = 90;
  const PatientTimeline timeline = patient_timeline(options);
  FollowOptions follow_options;
  follow_options.live.model = options.model;
  follow_options.live.codes = meds() + "/metadata/codes.parquet";
  follow_options.live.tasks = options.tasks;
  follow_options.live.horizon_days = 90;
  follow_options.memory_bytes = int64_t{4} << 30;
  const Followed followed(lines_of(events), follow_options);
  EXPECT_EQ(followed.error, "");
  std::vector<double> risks;
  std::istringstream lines(followed.text);
  for (std::string line; std::getline(lines, line);) {
    const Json answer = parse_json(line, "answer");
    if (answer.at("time").is_null() || answer.at("risks").is_null()) continue;
    risks.push_back(answer.at("risks").at(options.tasks[0]).get<double>());
  }
  ASSERT_EQ(timeline.risks.size(), risks.size());
  for (size_t i = 0; i < risks.size(); ++i)
    EXPECT_NEAR(timeline.risks[i].risk, risks[i], 1e-5) << i;
}

TEST_F(ReportOfRun, ATimelineHasNoValueAndNoDate) {
  const std::vector<OwnedEvent> all = events_of(meds());
  const auto valued =
      std::ranges::find_if(all, [](const OwnedEvent& event) { return !event.text.empty(); });
  ASSERT_NE(valued, all.end());
  const std::string page = read_file(report({.runs = {*files_ / "output"},
                                             .out = *files_ / "patient.html",
                                             .patient = valued->subject_id,
                                             .meds = meds(),
                                             .model = *files_ / "bundle"}));
  EXPECT_EQ(count(page, "data-title=\"Risk over time\""), 1u);
  EXPECT_GT(count(page, ">" + valued->code + "<"), 0u);
  EXPECT_EQ(count(page, ">" + valued->text + "<"), 0u);
  EXPECT_EQ(count(page, to_text(valued->time_us).substr(0, 10)), 0u);
}

TEST_F(ReportOfRun, RefusesWhatDoesNotGoTogether) {
  EXPECT_THROW(patient_timeline(timeline_options(-5)), ConfigError);
  EXPECT_THROW(report({}), ConfigError);
  EXPECT_THROW(report({.runs = {*files_ / "output"}, .patient = 1}), ConfigError);
  EXPECT_THROW(report({.runs = {*files_ / "output"}, .meds = meds()}), ConfigError);
  EXPECT_THROW(report({.runs = {files_->path()}}), ConfigError);
  EXPECT_FALSE(fs::exists(*files_ / "report.html"));
}

}  // namespace
}  // namespace sequela
