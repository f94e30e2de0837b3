#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/evaluation/bootstrap.h"
#include "sequela/evaluation/named_figures.h"
#include "sequela/evaluation/survival_metrics.h"

namespace sequela {

// What a method says of every row of a task.
struct SurvivalScores {
  std::string method;
  std::vector<double> scores;    // higher = sooner
  std::vector<double> survival;  // [rows][horizons], probability that no event has come
};

// The rows of a task of times to an event, and what several methods say of them.
struct SurvivalTask {
  std::string name;
  std::vector<int64_t> subject_ids;  // by row
  std::vector<double> days;          // to the end of follow-up
  std::vector<uint8_t> ends;         // 0 = censored, 1 = the event, 2 = a competing one
  std::vector<double> horizons;      // days, ascending
  std::vector<SurvivalScores> methods;
};

// A difference with its test. Where there is none, `why_not` tells why.
struct NamedTest {
  std::string name;
  PairedTest test = {};
  double p_holm = 0;  // of the figure's tests of all pairs and tasks
  std::string why_not;
};

// A curve at given days, with a pointwise band.
struct SurvivalBand {
  std::vector<double> days;
  std::vector<Interval> values;
};

struct SurvivalReport {
  struct MethodFigures {
    std::string method;
    std::vector<NamedFigure> figures;                 // of SurvivalMetrics
    std::vector<std::vector<RiskGroup>> calibration;  // by horizon
    std::vector<double> mean_survival;                // by horizon
  };
  struct Difference {
    std::string first, second;
    std::vector<NamedTest> figures;
  };
  std::string name;
  int64_t num_rows = 0, num_events = 0, num_competing = 0, num_subjects = 0;
  std::vector<double> horizons;
  std::vector<MethodFigures> methods;
  std::vector<Difference> differences;
  SurvivalBand survival;              // Kaplan-Meier's curve of the rows
  SurvivalBand incidence, competing;  // Aalen-Johansen's; competing is empty without such an end
};

// All figures of all methods, with intervals on resamples of the subjects that they share. A
// competing event ends follow-up as censoring does: figures are of the event where nothing else
// comes before, but for the curves of incidence.
SurvivalReport evaluate_survival_task(const SurvivalTask& task, const BootstrapOptions& options);

// Fills in p_holm: within each figure, over all pairs of methods of all tasks.
void adjust_p_values(std::vector<SurvivalReport>& reports);

}  // namespace sequela
