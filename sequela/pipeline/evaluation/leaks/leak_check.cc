#include "sequela/pipeline/evaluation/leaks/leak_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/pipeline/evaluation/leaks/task_inputs.h"

namespace sequela {

const char* to_text(LeakStatus status) {
  switch (status) {
    case LeakStatus::passed:
      return "passed";
    case LeakStatus::look:
      return "look";
    case LeakStatus::found:
      return "found";
    default:
      return "not_checked";
  }
}

std::vector<LeakResult> check_leaks(const EvaluateMethodsOptions& options,
                                    const EvaluationRecords& records,
                                    const std::vector<LabelTask>& tasks) {
  std::vector<LeakResult> results;
  if (options.leaks == LeakRule::off) return results;
  Progress progress("leaks", static_cast<int64_t>(tasks.size()), "tasks");
  for (const LabelTask& task : tasks) {
    throw_if_stopped();
    const TaskInputs inputs(records, task, options.seed);
    results.push_back(check_sides(task));
    results.push_back(check_learned_subjects(options, task));
    results.push_back(check_prediction_time(inputs, task));
    results.push_back(check_duplicates(records, task));
    results.push_back(check_single_codes(inputs, task));
    results.push_back(check_label_times(records, task, options.seed));
    results.push_back(check_own_codes(inputs, task));
    progress.advance(1);
  }
  return results;
}

void report_leaks(const std::vector<LeakResult>& results, LeakRule rule) {
  for (const LeakResult& result : results) {
    if (result.status != LeakStatus::found) continue;
    const std::string text = str(result.task, ": a leak, ", result.title, ": ", result.text);
    if (rule == LeakRule::fail) {
      throw DataError({}, text,
                      "mend the labels or the split; --leaks warn evaluates all the same");
    }
    log_warning(text);
  }
}

Json to_json(const std::vector<LeakResult>& results) {
  Json json = Json::array();
  for (const LeakResult& result : results) {
    Json details = Json::array();
    for (const auto& [code, figure] : result.codes)
      details.push_back({{"code", code}, {"figure", figure}});
    json.push_back({{"check", result.check},
                    {"title", result.title},
                    {"task", result.task},
                    {"status", to_text(result.status)},
                    {"num_checked", result.num_checked},
                    {"num_found", result.num_found},
                    {"text", result.text},
                    {"details", details}});
  }
  return json;
}

std::string to_text(const std::vector<LeakResult>& results) {
  if (results.empty()) return "Leaks: not looked for.\n\n";
  const auto count = [&](LeakStatus status) {
    return std::ranges::count(results, status, &LeakResult::status);
  };
  std::string text = str("Leaks: ", results.size(), " checks, ", count(LeakStatus::passed),
                         " passed, ", count(LeakStatus::found), " found, ", count(LeakStatus::look),
                         " to look at, ", count(LeakStatus::not_checked), " not checked.\n");
  for (const LeakStatus status : {LeakStatus::found, LeakStatus::look, LeakStatus::not_checked}) {
    for (const LeakResult& result : results) {
      if (result.status != status) continue;
      text += str("  ", status == LeakStatus::not_checked ? "not checked" : to_text(status), "  ",
                  result.task, ", ", result.title, ": ", result.text, "\n");
    }
  }
  return text + "\n";
}

}  // namespace sequela
