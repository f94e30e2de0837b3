#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/label/plan.h"

namespace sequela {

// Why a trigger event that passed every window still has no label.
enum class LabelLoss { no_value, event_before_prediction, record_ends_before_prediction, count };

// Who came into a cohort and who fell out of it where. Sums of parts are the whole's.
struct CohortCounts {
  explicit CohortCounts(const Plan& plan);
  void add(const CohortCounts& other);

  int64_t num_subjects = 0;
  int64_t num_events = 0;
  // By Plan::criteria: subjects for whom it is the first that is missing.
  std::vector<int64_t> without_criterion;
  int64_t num_trigger_subjects = 0;
  int64_t num_triggers = 0;
  // By window: trigger events lost there, by reason: its own points, then its counts.
  std::vector<std::vector<int64_t>> lost;
  std::array<int64_t, static_cast<size_t>(LabelLoss::count)> lost_labels{};
  int64_t num_labels = 0;
  int64_t num_label_subjects = 0;
  int64_t num_null_rows = 0;  // by --aces-exact, beside the labels
  int64_t num_true = 0;
  int64_t num_false = 0;
};

// One step of the way from all subjects to the labels.
struct CohortStep {
  std::string name;  // "windows.gap"
  std::string unit;  // "subjects" or "trigger events"
  int64_t before = 0;
  int64_t after = 0;
  struct Loss {
    std::string why;
    int64_t count = 0;
  };
  std::vector<Loss> losses;  // each reason that there could have been
};
std::vector<CohortStep> cohort_steps(const Plan& plan, const CohortCounts& counts);

// The first step after which nothing is left, in words; empty if there are labels.
std::string emptied_by(const std::vector<CohortStep>& steps);

// What cohort.json holds of it.
Json to_json(const Plan& plan, const CohortCounts& counts);

}  // namespace sequela
