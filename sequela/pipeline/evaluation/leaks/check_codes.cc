// Checks of what the codes of a history tell of the label.
#include <algorithm>
#include <cmath>
#include <set>

#include "sequela/core/error.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/pipeline/evaluation/leaks/leak_check.h"
#include "sequela/pipeline/evaluation/leaks/task_inputs.h"

namespace sequela {
namespace {

constexpr int64_t kMinRowsOfOutcome = 10;  // of either outcome, for any of these checks
constexpr size_t kMaxCodesTold = 5;
constexpr double kFoundAuroc = 0.99, kLookAuroc = 0.95;  // of a single code
constexpr double kFoundAtTime = 0.75;                    // of a code at the prediction time
constexpr double kMinValueShare = 0.5;  // of the rows that must have a code's value
constexpr double kDefiningPrecision = 0.99;
constexpr int64_t kMinDefined = 5;  // positive rows that a defining code has
constexpr double kFoundRecall = 0.9, kLookRecall = 0.5, kLookPrecision = 0.95;

using ScoredCode = std::pair<std::string, double>;

bool lacks_outcomes(const TaskInputs& inputs, LeakResult* result) {
  const int64_t negative = static_cast<int64_t>(inputs.rows().size()) - inputs.num_positive();
  result->num_checked = static_cast<int64_t>(inputs.rows().size());
  if (std::min(inputs.num_positive(), negative) >= kMinRowsOfOutcome) return false;
  result->status = LeakStatus::not_checked;
  result->text = str("fewer than ", kMinRowsOfOutcome, " labels of an outcome");
  return true;
}

// As far from 1/2 on either side.
double away_from_chance(double auroc) {
  return std::max(auroc, 1 - auroc);
}

// AUROC of the values among the rows that have one; 1/2 where they are too few.
double auroc_of_values(const TaskInputs& inputs, int32_t code) {
  std::vector<double> values;
  std::vector<uint8_t> outcomes;
  for (const TaskInputs::Entry& entry : inputs.entries(code)) {
    if (!std::isfinite(entry.last_value)) continue;
    values.push_back(entry.last_value);
    outcomes.push_back(inputs.outcomes()[entry.row]);
  }
  const auto num = static_cast<double>(values.size());
  const auto positive = std::ranges::count(outcomes, 1);
  if (num < kMinValueShare * static_cast<double>(inputs.rows().size()) ||
      std::min<int64_t>(positive, static_cast<int64_t>(outcomes.size()) - positive) <
          kMinRowsOfOutcome)
    return 0.5;
  return away_from_chance(ScoredOutcomes(std::move(values), std::move(outcomes)).auroc());
}

double auroc_of_counts(const TaskInputs& inputs, int32_t code) {
  std::vector<RowScore> scores;
  for (const TaskInputs::Entry& entry : inputs.entries(code))
    scores.push_back({entry.row, static_cast<double>(entry.count)});
  return away_from_chance(sparse_auroc(std::move(scores), inputs));
}

double auroc_of_presence(const TaskInputs& inputs, int32_t code, bool at_time) {
  std::vector<RowScore> scores;
  for (const TaskInputs::Entry& entry : inputs.entries(code)) {
    if (!at_time || entry.is_at_time) scores.push_back({entry.row, 1.0});
  }
  return away_from_chance(sparse_auroc(std::move(scores), inputs));
}

// The best first, kMaxCodesTold at most.
void keep_best(std::vector<ScoredCode>* codes) {
  std::ranges::stable_sort(*codes, std::greater{}, &ScoredCode::second);
  if (codes->size() > kMaxCodesTold) codes->resize(kMaxCodesTold);
}

// Codes that stand in hardly any history but of a positive label.
std::vector<int32_t> find_defining_codes(const TaskInputs& inputs) {
  std::vector<int32_t> defining;
  for (int32_t code = 0; code < inputs.num_codes(); ++code) {
    int64_t num = 0, positive = 0;
    for (const TaskInputs::Entry& entry : inputs.entries(code)) {
      if (inputs.is_test()[entry.row] != 0) continue;
      ++num;
      positive += inputs.outcomes()[entry.row];
    }
    if (positive >= kMinDefined &&
        static_cast<double>(positive) >= kDefiningPrecision * static_cast<double>(num))
      defining.push_back(code);
  }
  return defining;
}

}  // namespace

LeakResult check_prediction_time(const TaskInputs& inputs, const LabelTask& task) {
  LeakResult result{.check = "events_at_prediction_time",
                    .title = "codes at or after the prediction time in the input",
                    .task = task.name,
                    .num_checked = static_cast<int64_t>(inputs.rows().size())};
  const bool has_outcomes = inputs.num_positive() >= kMinRowsOfOutcome &&
                            result.num_checked - inputs.num_positive() >= kMinRowsOfOutcome;
  std::set<int32_t> rows;
  double most = 0.5;
  for (int32_t code = 0; code < inputs.num_codes(); ++code) {
    bool is_at_time = false;
    for (const TaskInputs::Entry& entry : inputs.entries(code)) {
      if (!entry.is_at_time) continue;
      is_at_time = true;
      rows.insert(entry.row);
    }
    if (!is_at_time || !has_outcomes) continue;
    const double auroc = auroc_of_presence(inputs, code, true);
    most = std::max(most, auroc);
    result.codes.emplace_back(inputs.code(code), auroc);
  }
  keep_best(&result.codes);
  result.num_found = static_cast<int64_t>(rows.size());
  result.text = str(result.num_found, " of ", result.num_checked,
                    " labels see events at their prediction time itself, ", inputs.num_after(),
                    " events lie after it");
  if (inputs.num_midnight() > 0) {
    result.text += str("; ", inputs.num_midnight(),
                       " see events of their day whose time is midnight: if that stands for a "
                       "date, they may come later");
  }
  if (!rows.empty() || inputs.num_midnight() > 0) result.status = LeakStatus::look;
  if (most >= kFoundAtTime || inputs.num_after() > 0) {
    result.status = LeakStatus::found;
    if (most >= kFoundAtTime)
      result.text += str("; ", result.codes.front().first, " at that time tells the label (AUROC ",
                         std::round(1000 * most) / 1000, ")");
  }
  return result;
}

LeakResult check_single_codes(const TaskInputs& inputs, const LabelTask& task) {
  LeakResult result{
      .check = "single_code", .title = "a single code that tells the label", .task = task.name};
  if (lacks_outcomes(inputs, &result)) return result;
  for (int32_t code = 0; code < inputs.num_codes(); ++code) {
    if (inputs.entries(code).empty()) continue;
    const double auroc =
        std::max({auroc_of_counts(inputs, code), auroc_of_presence(inputs, code, false),
                  auroc_of_values(inputs, code)});
    result.num_found += auroc >= kFoundAuroc;
    result.codes.emplace_back(inputs.code(code), auroc);
  }
  keep_best(&result.codes);
  if (result.codes.empty()) {
    result.text = "no code stands in a history";
    return result;
  }
  const auto& [code, auroc] = result.codes.front();
  result.text = str(result.num_found, " codes have AUROC ", kFoundAuroc,
                    " or more by themselves (count, presence or last value); the most has ", code,
                    ": ", std::round(1000 * auroc) / 1000);
  if (auroc >= kLookAuroc) result.status = LeakStatus::look;
  if (auroc >= kFoundAuroc) result.status = LeakStatus::found;
  return result;
}

LeakResult check_own_codes(const TaskInputs& inputs, const LabelTask& task) {
  LeakResult result{
      .check = "own_codes", .title = "codes of the input that define the label", .task = task.name};
  if (lacks_outcomes(inputs, &result)) return result;
  const std::vector<int32_t> defining = find_defining_codes(inputs);
  std::vector<uint8_t> has_one(inputs.rows().size());
  for (const int32_t code : defining) {
    int64_t positive = 0;
    for (const TaskInputs::Entry& entry : inputs.entries(code)) {
      has_one[entry.row] = 1;
      positive += inputs.outcomes()[entry.row];
    }
    result.codes.emplace_back(inputs.code(code), static_cast<double>(positive) /
                                                     static_cast<double>(inputs.num_positive()));
  }
  keep_best(&result.codes);
  int64_t told = 0, right = 0, positive = 0;
  for (size_t row = 0; row < has_one.size(); ++row) {
    if (inputs.is_test()[row] == 0) continue;
    positive += inputs.outcomes()[row];
    told += has_one[row];
    right += has_one[row] != 0 && inputs.outcomes()[row] != 0;
  }
  result.num_found = right;
  const double recall =
      positive > 0 ? static_cast<double>(right) / static_cast<double>(positive) : 0;
  const double precision = told > 0 ? static_cast<double>(right) / static_cast<double>(told) : 0;
  result.text =
      str(defining.size(), " codes stand before true labels alone (", 100 * kDefiningPrecision,
          " % of the labels to learn from); of the true test "
          "labels they tell ",
          right, " of ", positive, ", and ", told - right, " false ones");
  if (recall >= kLookRecall && precision >= kLookPrecision) result.status = LeakStatus::look;
  if (recall >= kFoundRecall && precision >= kDefiningPrecision) result.status = LeakStatus::found;
  return result;
}

}  // namespace sequela
