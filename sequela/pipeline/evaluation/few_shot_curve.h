#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/evaluation/drawn_scores.h"
#include "sequela/evaluation/task_report.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/evaluation/method.h"

namespace sequela {

// First minus second method, both after k labels of each outcome (nothing = all labels).
struct FewShotDifference {
  size_t first = 0, second = 0;  // of the points
  DrawnDifference test;
  double auroc_p_holm = 0, average_precision_p_holm = 0;
};

// How good methods are after few labels of a task.
struct FewShotCurve {
  struct Point {
    std::optional<int64_t> k;
    int64_t num_train = 0;
    DrawnResult result;
  };
  std::vector<Point> points;
  std::vector<FewShotDifference> differences;  // of each two methods at each k
};

// Fits the methods that learn from few labels on draws of options.shots labels of each outcome of
// the train rows, and as many of the validation rows (evaluation/few_shot.h); the point of all
// labels is what `scored` says, for every method. Empty without shots.
FewShotCurve find_few_shot_curve(const LabelTask& task, std::span<Method* const> methods,
                                 const BinaryTask& scored, const EvaluateMethodsOptions& options);

// Fills in the p_holm: within each figure and k, over all pairs of methods of all tasks.
void adjust_few_shot_p_values(std::vector<FewShotCurve>& curves);

// evaluation.json's few_shot; null if there is none.
Json to_json(const FewShotCurve& curve, const EvaluateMethodsOptions& options);

}  // namespace sequela
