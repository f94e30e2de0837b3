#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "sequela/evaluation/metrics.h"
#include "sequela/pipeline/compare.h"

namespace sequela {

// What each method, with each number of labels, said of the test rows: one entry a seed.
using CompareScores = std::map<std::pair<int64_t, CompareMethod>, std::vector<ScoredOutcomes>>;

// Fills the report's results and differences: metrics as means over the seeds, with intervals and
// tests by resampling of subjects. test_subjects: the subject of each test row.
void summarise_scores(const CompareScores& scores, const std::vector<int64_t>& test_subjects,
                      const CompareOptions& options, CompareReport* report);

}  // namespace sequela
