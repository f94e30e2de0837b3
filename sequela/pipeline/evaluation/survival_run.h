#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/evaluation/survival_report.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/evaluation/method.h"

namespace sequela {

// What methods say of a task of times to an event; those that cannot are left out, and the log says
// why. Horizons beyond all follow-up of the test rows are left out, too; ConfigError if none is
// left.
SurvivalTask score_survival_task(const LabelTask& task, std::span<Method* const> methods,
                                 const EvaluateMethodsOptions& options);

// The forms of reports: evaluation.json's tasks, rows of metrics.csv, tables for the terminal.
Json to_json(const SurvivalReport& report, const LabelTask& task);
std::string to_csv(const SurvivalReport& report);
std::string to_text(const std::vector<SurvivalReport>& reports);

}  // namespace sequela
