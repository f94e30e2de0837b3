#include "sequela/report/checklist.h"

#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/report/checklist_items.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

// What the runs know, by an item's number.
using Answers = std::map<std::string, std::string>;

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
  return text;
}

std::string sides_of(const Json& task) {
  std::vector<std::string> parts;
  for (const char* side : {"train", "validation", "test"}) {
    const Json& counts = field(field(task, "sides"), side);
    if (!counts.is_object()) continue;
    parts.push_back(str(side, " ", with_thousands(count_field(counts, "num_rows")), " rows (",
                        with_thousands(outcome_count(counts)), " with the outcome)"));
  }
  if (parts.empty()) {
    parts.push_back(str("tested on ", with_thousands(count_field(task, "num_rows")), " rows (",
                        with_thousands(count_field(task, "num_positive")), " positive)"));
  }
  return text_field(task, "task") + ": " + joined(parts);
}

void add_data(const Json& data, Answers& answers) {
  if (!data.is_object()) return;
  const std::string first = text_field(data, "first_time"), last = text_field(data, "last_time");
  if (!first.empty())
    answers["5b"] = str("Times in the records lie between ", first, " and ", last, ".");
  answers["20b"] = "Counts, and events per subject: see the section on data.";
  const std::string source = text_field(field(data, "splits"), "source");
  if (!source.empty()) answers["12a"] = str("Split of the subjects by: ", source, ".");
}

void add_tasks(const Json& evaluation, Answers& answers) {
  std::vector<std::string> sides;
  bool has_subgroups = false, has_few_shot = false;
  for (const Json& task : list_field(evaluation, "tasks")) {
    sides.push_back(sides_of(task));
    has_few_shot |= !list_field(field(task, "few_shot"), "points").empty();
    for (const Json& method : list_field(task, "methods"))
      has_subgroups |= !list_field(method, "subgroups").empty();
  }
  answers["10"] = answers["21"] = joined(sides) + ".";
  answers["23a"] =
      str("Figures with 95 % intervals", has_subgroups ? ", also by subgroup" : "",
          has_few_shot ? ", and by the number of training labels" : "", ": see the tables above.");
  if (has_subgroups)
    answers["14"] = "Performance by subgroup and the gap between subgroups are given above.";
}

void add_evaluation_answers(const Json& evaluation, Answers& answers) {
  answers["4"] = "Evaluation of the methods in the table on top, on the same rows.";
  answers["11"] = "Nothing is imputed: what a record does not hold is absent from the input.";
  answers["12e"] =
      str("Discrimination, calibration, overall error, clinical utility (decision curve); "
          "intervals by ",
          with_thousands(count_field(evaluation, "bootstraps")),
          " bootstrap resamples of the subjects, seed ", count_field(evaluation, "seed"), ".");
  answers["13"] = "Outcomes were not resampled for the evaluation; calibration is shown as it is.";
  answers["15"] = "A probability for each prediction time. No threshold is recommended.";
  answers["18f"] = str("Sequela ", SEQUELA_VERSION, ", open source (Apache-2.0); the manifest has ",
                       "parameters and inputs by SHA-256.");
  if (!list_field(evaluation, "leaks").empty())
    answers["7"] = "Checks for leaks: see the section on leaks.";
  add_data(field(evaluation, "data"), answers);
  add_tasks(evaluation, answers);
}

void add_prepared(const Json& coverage, Answers& answers) {
  const Json& events = field(coverage, "events");
  answers["7"] +=
      str(answers["7"].empty() ? "" : " ", "What was skipped or mended of ",
          counted(count_field(events, "events"), "event", "events"), ": see the prepared data.");
  answers["9a"] =
      "All codes of the records and their ancestors; the dictionary keeps the most "
      "informative.";
  answers["9b"] = "Codes, ages, and values by their bins, up to the prediction time.";
}

void add_run(const FinishedRun& run, Answers& answers) {
  switch (run.kind) {
    case RunKind::evaluation:
      return add_evaluation_answers(*run.content, answers);
    case RunKind::prepared:
      return add_prepared(*run.content, answers);
    case RunKind::cohort:
      answers["6b"] +=
          str(answers["6b"].empty() ? "" : "; ", run.name, ": see its cohort, step by step");
      answers["8a"] = "The task's definition is part of its cohort's manifest.";
      answers["20a"] = "See the cohorts, step by step.";
      return;
    case RunKind::training:
      answers["12c"] = "See the section on training, and all parameters in the manifest.";
      return;
    case RunKind::bundle:
      answers["22"] =
          "The bundle holds weights, dictionary and ontology; its digests are in the "
          "manifest.";
      return;
    case RunKind::comparison:
    case RunKind::raw_records:
      return;
  }
}

}  // namespace

void add_checklist(const std::vector<FinishedRun>& runs, Page& page) {
  Answers answers;
  bool has_evaluation = false;
  for (const FinishedRun& run : runs) {
    has_evaluation |= run.kind == RunKind::evaluation;
    add_run(run, answers);
  }
  if (!has_evaluation) return;
  PageTable table{{"Item", "Topic", "What to report", "From these runs"}, {}};
  for (const ChecklistItem& item : kChecklistItems) {
    const auto answer = answers.find(item.number);
    const bool is_known = answer != answers.end() && !answer->second.empty();
    table.rows.push_back({item.number, item.topic, item.asks,
                          is_known ? answer->second : std::string("for the authors")});
  }
  page.sections.push_back(
      {"TRIPOD+AI",
       {Paragraph{"What a report of a prediction model should say, in our words, filled as far as "
                  "the runs know. Source: Collins et al., BMJ 385 (2024), e078378, "
                  "doi:10.1136/bmj-2023-078378."},
        ShownTable{"Checklist", std::move(table), true}},
       {}});
}

}  // namespace sequela
