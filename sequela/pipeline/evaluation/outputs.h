#pragma once

#include <string>
#include <vector>

#include "sequela/pipeline/evaluate.h"
#include "sequela/pipeline/evaluation/evaluation_json.h"
#include "sequela/pipeline/evaluation/report.h"
#include "sequela/run/manifest.h"

namespace sequela {

// All figures of the tasks, and their differences.
std::vector<TaskReport> evaluate_tasks(const std::vector<BinaryTask>& tasks,
                                       const EvaluateOptions& options);

// What stands above and below the tables of metrics.txt, and below the rows of metrics.csv; whether
// the tables have rows of subgroups, which are in the other files in any case.
struct EvaluationText {
  std::string head, foot, csv;
  SubgroupRows subgroups = SubgroupRows::shown;
};

// Writes the files of an evaluation into options.out and records them, all or none; fills in the
// report.
void write_evaluation(const EvaluateOptions& options, const std::vector<BinaryTask>& tasks,
                      const EvaluationFacts& facts, const EvaluationText& text, RunRecipe recipe,
                      Manifest& manifest, EvaluateReport* report);

// The report of an evaluation that is up to date, from its files. Its page is made if it is not
// there: a run may have ended just before it.
EvaluateReport read_evaluation(const std::string& out);

}  // namespace sequela
