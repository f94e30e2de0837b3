#include "sequela/label/cohort.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"

namespace sequela {
namespace {

std::string loss_text(LabelLoss loss, const std::string& label) {
  switch (loss) {
    case LabelLoss::no_value:
      return str("no value of ", label, " in the window");
    case LabelLoss::event_before_prediction:
      return str(label, " comes before the prediction time");
    default:
      return "the window or the record ends before the prediction time";
  }
}

CohortStep window_step(const Plan& plan, size_t w, const std::vector<int64_t>& lost) {
  const PlanWindow& window = plan.windows[w];
  CohortStep step{.name = "windows." + window.name, .unit = "trigger events"};
  size_t reason = 0;
  for (const int point : window.own_points) {
    const std::string& why = plan.points[point].missing_text;
    if (!why.empty()) step.losses.push_back({why, lost[reason]});
    ++reason;
  }
  for (const PlanCount& count : window.has) step.losses.push_back({count.text, lost[reason++]});
  return step;
}

CohortStep label_step(const Plan& plan, const CohortCounts& counts) {
  CohortStep step{.name = "label", .unit = "trigger events"};
  for (size_t i = 0; i < counts.lost_labels.size(); ++i) {
    const std::string why = loss_text(static_cast<LabelLoss>(i), plan.label.name);
    step.losses.push_back({why, counts.lost_labels[i]});
  }
  return step;
}

void add_each(const std::vector<int64_t>& from, std::vector<int64_t>* to) {
  for (size_t i = 0; i < from.size(); ++i) (*to)[i] += from[i];
}

}  // namespace

CohortCounts::CohortCounts(const Plan& plan) : without_criterion(plan.criteria.size()) {
  for (const PlanWindow& window : plan.windows) {
    lost.emplace_back(window.own_points.size() + window.has.size());
  }
}

void CohortCounts::add(const CohortCounts& other) {
  num_subjects += other.num_subjects;
  num_events += other.num_events;
  add_each(other.without_criterion, &without_criterion);
  num_trigger_subjects += other.num_trigger_subjects;
  num_triggers += other.num_triggers;
  for (size_t w = 0; w < lost.size(); ++w) add_each(other.lost[w], &lost[w]);
  for (size_t i = 0; i < lost_labels.size(); ++i) lost_labels[i] += other.lost_labels[i];
  num_labels += other.num_labels;
  num_label_subjects += other.num_label_subjects;
  num_null_rows += other.num_null_rows;
  num_true += other.num_true;
  num_false += other.num_false;
}

std::vector<CohortStep> cohort_steps(const Plan& plan, const CohortCounts& counts) {
  std::vector<CohortStep> steps;
  int64_t left = counts.num_subjects;
  if (!plan.criteria.empty()) {
    CohortStep step{.name = "patient_demographics", .unit = "subjects", .before = left};
    for (size_t i = 0; i < plan.criteria.size(); ++i) {
      step.losses.push_back(
          {str("no ", plan.plains[plan.criteria[i]].name), counts.without_criterion[i]});
      left -= counts.without_criterion[i];
    }
    step.after = left;
    steps.push_back(std::move(step));
  }
  steps.push_back({.name = "trigger",
                   .unit = "subjects",
                   .before = left,
                   .after = counts.num_trigger_subjects,
                   .losses = {{str("no ", plan.predicates[plan.trigger].name),
                               left - counts.num_trigger_subjects}}});
  left = counts.num_triggers;
  const auto add = [&](CohortStep step) {
    step.before = left;
    for (const CohortStep::Loss& loss : step.losses) left -= loss.count;
    step.after = left;
    steps.push_back(std::move(step));
  };
  for (size_t w = 0; w < plan.windows.size(); ++w) add(window_step(plan, w, counts.lost[w]));
  if (plan.label.as >= LabelAs::first) add(label_step(plan, counts));
  return steps;
}

std::string emptied_by(const std::vector<CohortStep>& steps) {
  for (const CohortStep& step : steps) {
    if (step.after > 0) continue;
    std::string why;
    for (const CohortStep::Loss& loss : step.losses) {
      if (loss.count > 0) why += str(why.empty() ? ": " : "; ", loss.why, " (", loss.count, ")");
    }
    return str(step.name, " leaves none of ", step.before, " ", step.unit, why);
  }
  return "";
}

Json to_json(const Plan& plan, const CohortCounts& counts) {
  Json json = {{"subjects", counts.num_subjects}, {"events", counts.num_events}};
  json["trigger"] = {{"predicate", plan.predicates[plan.trigger].name},
                     {"subjects", counts.num_trigger_subjects},
                     {"events", counts.num_triggers}};
  json["steps"] = Json::array();
  for (const CohortStep& step : cohort_steps(plan, counts)) {
    Json losses = Json::array();
    for (const CohortStep::Loss& loss : step.losses) {
      losses.push_back({{"why", loss.why}, {"count", loss.count}});
    }
    json["steps"].push_back({{"step", step.name},
                             {"of", step.unit},
                             {"before", step.before},
                             {"fell_out", losses},
                             {"after", step.after}});
  }
  json["labels"] = {{"rows", counts.num_labels}, {"subjects", counts.num_label_subjects}};
  if (plan.label.window >= 0) {
    json["labels"]["predicate"] = plan.label.name;
    json["labels"]["as"] = to_text(plan.label.as);
  }
  if (counts.num_true + counts.num_false > 0) {
    json["labels"]["true"] = counts.num_true;
    json["labels"]["false"] = counts.num_false;
  }
  if (plan.is_aces_exact) json["labels"]["rows_of_nulls"] = counts.num_null_rows;
  return json;
}

}  // namespace sequela
