#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/evaluation/binary_metrics.h"
#include "sequela/evaluation/bootstrap.h"

namespace sequela {

// A method's probabilities for some rows of a task.
struct MethodScores {
  std::string name;
  std::vector<int32_t> rows;  // of the task, ascending
  std::vector<double> probabilities;
};

// A column that deals the rows to subgroups.
struct SubgroupColumn {
  std::string name;
  std::vector<std::string> values;
  std::vector<int32_t> value_of;  // by row of the task; -1 = in none
};

// The rows of a binary task and what several methods say of them.
struct BinaryTask {
  std::string name;
  std::vector<int64_t> subject_ids;  // by row
  std::vector<uint8_t> outcomes;     // by row
  std::vector<MethodScores> methods;
  std::vector<SubgroupColumn> subgroups;
};

// A figure with its interval. Where there is no number, or no interval, `why_not` tells why.
struct FigureResult {
  BinaryFigure figure = BinaryFigure::auroc;
  Interval interval = {};
  std::string why_not;
};

// All figures of a method on all its rows, or on those of a subgroup. Of a gap, largest minus
// smallest figure of a column's subgroups, `value` is empty.
struct FigureTable {
  std::string method;
  std::string column, value;  // of the subgroup; empty = all rows
  bool is_gap = false;
  int64_t num_rows = 0, num_positive = 0;
  std::vector<FigureResult> figures;
};

// First minus second on the rows that both have.
struct DifferenceResult {
  BinaryFigure figure = BinaryFigure::auroc;
  PairedTest test = {};
  double p_holm = 0;  // of the figure's tests of all pairs and tasks; adjust_p_values fills it in
  std::string why_not;
};
struct DifferenceTable {
  std::string first, second;
  int64_t num_rows = 0, num_positive = 0;
  std::vector<DifferenceResult> figures;
  PairedTest delong = {};  // of the AUROC
};

struct TaskReport {
  std::string name;
  int64_t num_rows = 0, num_positive = 0, num_subjects = 0;
  std::vector<FigureTable> tables;
  std::vector<Interval> delong;  // AUROC of each method
  std::vector<DifferenceTable> differences;
};

// All figures of all methods, of their subgroups, and the differences of each two methods, with
// intervals on resamples of the task's subjects that all of them share.
TaskReport evaluate_task(const BinaryTask& task, const BootstrapOptions& options);

// Fills in p_holm: within each figure, over all pairs of methods of all tasks.
void adjust_p_values(std::vector<TaskReport>& reports);

}  // namespace sequela
