// Each planted leak is found by its check, and by no other one.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/pipeline/evaluation/leaks/leak_check.h"
#include "sequela/pipeline/learned_subjects.h"
#include "tests/pipeline/made_up_cohort.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

class Leaks : public testing::Test {
 protected:
  using Row = MadeUpCohort::LabelRow;

  // What the checks say of the cohort, by check.
  std::map<std::string, LeakResult> check() {
    cohort_.write(folder_ / "data");
    options_.meds = folder_ / "data/meds";
    options_.out = folder_ / "out";
    if (!cohort_.labels.front().split.empty()) options_.splits = folder_ / "data/splits.parquet";
    EvaluateMethodsOptions of_records = options_;
    of_records.model.clear();
    const EvaluationRecords records(of_records);
    const SubjectParts parts(options_.meds, options_.splits, 1);
    const std::vector<LabelTask> tasks = {
        read_label_task("task", folder_ / "data/labels.parquet", parts, records.store(), {})};
    results_ = check_leaks(options_, records, tasks);
    std::map<std::string, LeakResult> by_check;
    for (const LeakResult& result : results_) by_check[result.check] = result;
    return by_check;
  }
  // Of all checks but the one for pretrained models, which there is none of.
  void expect_found(const std::vector<std::string>& found) {
    for (const auto& [check, result] : check()) {
      if (check == "pretraining_subjects") continue;
      const bool is_expected = std::ranges::find(found, check) != found.end();
      EXPECT_EQ(std::string(to_text(result.status)), is_expected ? "found" : "passed")
          << check << ": " << result.text;
    }
  }

  TestFolder folder_;
  MadeUpCohort cohort_;
  EvaluateMethodsOptions options_;
  std::vector<LeakResult> results_;
};

TEST_F(Leaks, NoneIsFoundWhereNoneIs) {
  expect_found({});
  EXPECT_EQ(results_.size(), 7u);
  for (const LeakResult& result : results_) EXPECT_FALSE(result.text.empty()) << result.check;
  EXPECT_NO_THROW(report_leaks(results_, LeakRule::fail));
}

TEST_F(Leaks, SubjectsOnTwoSides) {
  for (Row& label : cohort_.labels) label.split = MadeUpCohort::split_of(label.subject);
  // One of the test subjects has an earlier label, which is trained on.
  Row other = cohort_.label_of(10);
  other.time_us -= MadeUpCohort::kHour / 4;
  other.split = "train";
  cohort_.labels.push_back(other);
  expect_found({"subjects_on_two_sides"});
  EXPECT_EQ(check()["subjects_on_two_sides"].num_found, 1);
}

TEST_F(Leaks, SubjectsThatTheBundleWasPretrainedOn) {
  SubjectSets sets(hash_split_rule(97, 0.1));
  const std::vector<int64_t> pretrained = {2, 3, 4, 15, 20, 1'000'005}, validated = {25};
  sets.set(kPretrainTrain, pretrained);
  sets.set(kPretrainValidation, validated);
  std::filesystem::create_directories(folder_ / "model");
  sets.write(folder_ / "model/subjects.filter");
  options_.model = folder_ / "model";
  const LeakResult result = check()["pretraining_subjects"];
  EXPECT_EQ(result.status, LeakStatus::found);
  EXPECT_EQ(result.num_found, 3);  // 15, 20 and 25 are held out
  EXPECT_EQ(result.num_checked, 60);
  EXPECT_NE(result.text.find("2 (pretrain train), 1 (pretrain validation)"), std::string::npos)
      << result.text;
  EXPECT_THROW(report_leaks(results_, LeakRule::fail), DataError);
}

TEST_F(Leaks, ABundleThatDoesNotSayIsNotChecked) {
  std::filesystem::create_directories(folder_ / "model");
  options_.model = folder_ / "model";
  const LeakResult result = check()["pretraining_subjects"];
  EXPECT_EQ(result.status, LeakStatus::not_checked);
  EXPECT_NE(result.text.find("model does not say"), std::string::npos) << result.text;
}

TEST_F(Leaks, TheOutcomesCodeAtThePredictionTime) {
  for (const Row& label : cohort_.labels) {
    if (label.outcome && label.subject % 4 != 0) cohort_.add(label.subject, label.time_us, "DIED");
  }
  // It stands before true labels alone, too; but not before nearly all of them.
  const auto found = check();
  EXPECT_EQ(found.at("events_at_prediction_time").status, LeakStatus::found);
  EXPECT_EQ(found.at("events_at_prediction_time").codes.front().first, "DIED");
  EXPECT_EQ(found.at("single_code").status, LeakStatus::passed);
}

TEST_F(Leaks, EventsAtThePredictionTimeThatTellNothingAreToLookAt) {
  for (const Row& label : cohort_.labels) cohort_.add(label.subject, label.time_us, "ADMISSION");
  const LeakResult result = check()["events_at_prediction_time"];
  EXPECT_EQ(result.status, LeakStatus::look) << result.text;
  EXPECT_EQ(result.num_found, 300);
}

TEST_F(Leaks, DatesWithoutATimeOfDay) {
  for (const Row& label : cohort_.labels) {
    const int64_t midnight = day_of(label.time_us) * kMicrosPerDay;
    if (midnight < label.time_us) cohort_.add(label.subject, midnight, "C/1");
  }
  const LeakResult result = check()["events_at_prediction_time"];
  EXPECT_EQ(result.status, LeakStatus::look);
  EXPECT_NE(result.text.find("midnight"), std::string::npos) << result.text;
}

TEST_F(Leaks, DuplicatedPatients) {
  // The record of a test subject once more under an id that is trained on, a year later.
  constexpr int64_t kOriginal = 20, kCopy = 302;
  const std::vector<MadeUpCohort::Event> events = cohort_.events;
  for (const MadeUpCohort::Event& event : events) {
    if (event.subject != kOriginal) continue;
    cohort_.add(kCopy, event.time_us + 365 * kMicrosPerDay, event.code);
  }
  Row copy = cohort_.label_of(kOriginal);
  copy.subject = kCopy;
  copy.time_us += 365 * kMicrosPerDay;
  cohort_.labels.push_back(copy);
  expect_found({"duplicated_patients"});
  EXPECT_EQ(check()["duplicated_patients"].num_found, 1);
}

TEST_F(Leaks, ASingleCodeThatTellsTheLabel) {
  for (const Row& label : cohort_.labels) {
    if (label.outcome) cohort_.add(label.subject, label.time_us - MadeUpCohort::kHour, "TREATED");
  }
  expect_found({"single_code", "own_codes"});
  EXPECT_EQ(check()["single_code"].codes.front().first, "TREATED");
}

TEST_F(Leaks, ASingleCodesValueThatTellsTheLabel) {
  for (const Row& label : cohort_.labels) {
    const float value = static_cast<float>(label.subject % 10) + (label.outcome ? 20 : 0);
    cohort_.add_value(label.subject, label.time_us - MadeUpCohort::kHour, "LAB", value);
  }
  expect_found({"single_code"});
  EXPECT_EQ(check()["single_code"].codes.front().first, "LAB");
}

TEST_F(Leaks, LabelsAtPermutedTimes) {
  std::vector<int64_t> times;
  for (const Row& label : cohort_.labels) times.push_back(label.time_us);
  Random random(5);
  for (size_t i = times.size(); i > 1; --i) std::swap(times[i - 1], times[random.below(i)]);
  for (size_t i = 0; i < times.size(); ++i) cohort_.labels[i].time_us = times[i];
  expect_found({"permuted_times"});
}

// Three codes share the true labels among them, so that none tells them alone.
TEST_F(Leaks, ALabelThatItsOwnInputCodesDefine) {
  for (const Row& label : cohort_.labels) {
    if (!label.outcome) continue;
    cohort_.add(label.subject, label.time_us - MadeUpCohort::kHour,
                "DIABETES/" + std::to_string(label.subject / 5 % 3));
  }
  expect_found({"own_codes"});
  EXPECT_EQ(check()["own_codes"].codes.size(), 3u);
}

TEST_F(Leaks, FewLabelsAreNotChecked) {
  cohort_ = MadeUpCohort(20, 3);
  const auto results = check();
  EXPECT_EQ(results.at("single_code").status, LeakStatus::not_checked);
  EXPECT_EQ(results.at("own_codes").status, LeakStatus::not_checked);
}

}  // namespace
}  // namespace sequela
