// Times to an event: Cox regression and Kaplan-Meier's curve beside each other.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "tests/pipeline/made_up_cohort.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

// Men have the event four times as soon as women; a quarter die before.
void write_survival_labels(const MadeUpCohort& cohort, const std::string& path) {
  std::map<int64_t, bool> is_male;
  for (const auto& event : cohort.events) {
    if (event.code == "GENDER//M") is_male[event.subject] = true;
  }
  std::vector<int64_t> subjects, times;
  std::vector<uint8_t> values;
  std::vector<float> days;
  std::vector<std::string> ends;
  for (const auto& label : cohort.labels) {
    Random random(hash_key(6, label.subject));
    const double event = random.exponential() * (is_male[label.subject] ? 50 : 200);
    const double death = random.exponential() * 400, last = 100 + 300 * random.uniform();
    subjects.push_back(label.subject);
    times.push_back(label.time_us);
    days.push_back(static_cast<float>(std::min({event, death, last})));
    values.push_back(event <= std::min(death, last));
    ends.emplace_back(values.back() != 0 ? "event" : death <= last ? "competing" : "censored");
  }
  write_parquet(path, {{.name = "subject_id", .values = subjects},
                       {.name = "prediction_time", .values = times, .is_timestamp = true},
                       {.name = "boolean_value", .values = values},
                       {.name = "float_value", .values = days},
                       {.name = "categorical_value", .values = ends}});
}

TEST(EvaluateSurvival, CoxBesideKaplanMeier) {
  const TestFolder folder;
  MadeUpCohort cohort(600);
  cohort.write(folder / "data");
  write_survival_labels(cohort, folder / "onset.parquet");
  EvaluateMethodsOptions options;
  options.meds = folder / "data/meds";
  options.labels = {folder / "onset.parquet", "binary=" + (folder / "data/labels.parquet")};
  options.out = folder / "out";
  options.methods = {"age_sex", "counts_logistic"};
  options.horizons = {90, 30, 5000, 90};
  options.shots.clear();
  options.num_bootstraps = 50;
  evaluate_methods(options);
  const std::string path = options.out + "/evaluation.json";
  const Json evaluation = parse_json(read_file(path), path);
  for (const Json& method : evaluation.at("methods")) {
    if (method.at("method") != "counts_logistic") continue;
    EXPECT_EQ(method.at("why_not"), Json({{"onset", "it tells no times to an event"}}));
  }
  const Json& tasks = evaluation.at("tasks");
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks.at(0).at("kind"), "binary");
  const Json& task = tasks.at(1);
  EXPECT_EQ(task.at("task"), "onset");
  EXPECT_EQ(task.at("kind"), "time_to_event");
  EXPECT_EQ(task.at("horizons"), Json({30, 90}));  // no follow-up is as long as 5000
  std::map<std::string, Json> methods;
  for (const Json& method : task.at("methods")) methods[method.at("method")] = method;
  ASSERT_EQ(methods.size(), 2u);
  const auto figure = [&](const char* method, const char* name) {
    return methods.at(method).at("figures").at(name).at("value").get<double>();
  };
  EXPECT_GT(figure("age_sex", "harrell_c"), 0.58);
  EXPECT_NEAR(figure("kaplan_meier", "harrell_c"), 0.5, 1e-9);
  EXPECT_LT(figure("age_sex", "integrated_brier"), figure("kaplan_meier", "integrated_brier"));
  // Predicted and observed survival are alike.
  for (const auto& [name, method] : methods) {
    for (const char* horizon : {"observed_expected_at_30", "observed_expected_at_90"})
      EXPECT_NEAR(figure(name.c_str(), horizon), 1, 0.25) << name << " " << horizon;
  }
  EXPECT_EQ(task.at("observed").at("cumulative_incidence").size(), 2u);
  EXPECT_NE(read_file(options.out + "/metrics.csv").find("onset,age_sex,all,harrell_c"),
            std::string::npos);
  EXPECT_NE(read_file(options.out + "/metrics.txt").find("Harrell's C"), std::string::npos);

  options.horizons = {5000};
  options.out = folder / "late";
  EXPECT_THROW(evaluate_methods(options), ConfigError);
  options.horizons = {};
  EXPECT_THROW(evaluate_methods(options), ConfigError);
}

}  // namespace
}  // namespace sequela
