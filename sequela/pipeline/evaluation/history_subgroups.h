#pragma once

#include <span>
#include <string>
#include <vector>

#include "sequela/evaluation/task_report.h"
#include "sequela/pipeline/evaluation/records.h"

namespace sequela {

// Columns of subgroups that the records themselves give, by label: sex, age (bands of
// meds/subgroups.h), and for each of `codes` whether the history has the code or one below it
// ("CODE before": no, yes), which sets a new onset apart from a recurrence. ConfigError for a code
// that is no node of the ontology.
std::vector<SubgroupColumn> history_subgroups(const EvaluationRecords& records,
                                              std::span<const Label> labels,
                                              const std::vector<std::string>& codes);

}  // namespace sequela
