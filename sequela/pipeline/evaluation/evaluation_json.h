#pragma once

#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/evaluation/task_report.h"
#include "sequela/pipeline/evaluate.h"
#include "sequela/run/recipe.h"

namespace sequela {

// What a run knows beside the reports of its binary tasks, in evaluation.json's form. What it does
// not know is null.
struct EvaluationFacts {
  Json data, model;
  Json methods, leaks;         // arrays
  std::vector<Json> sides;     // by binary task; empty = none is known
  std::vector<Json> few_shot;  // likewise
  std::vector<Json> maps;      // likewise
  std::vector<Json> survival;  // tasks of times to an event, whole
};

// evaluation.json (docs/formats.md): all figures, curves with their bands, and the facts.
Json evaluation_json(const EvaluateOptions& options, const RunRecipe& recipe,
                     const std::vector<BinaryTask>& tasks, const std::vector<TaskReport>& reports,
                     const EvaluationFacts& facts);

}  // namespace sequela
