#include "sequela/evaluation/task_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "sequela/core/nan.h"
#include "sequela/evaluation/delong.h"
#include "sequela/evaluation/named_figures.h"

namespace sequela {
namespace {

// The rows of one method that satisfy a condition, ready for resampling.
template <class Condition>
BinaryMetrics metrics_of(const BinaryTask& task, const MethodScores& method, Condition condition) {
  std::vector<double> probabilities;
  std::vector<uint8_t> outcomes;
  std::vector<int32_t> rows;
  for (size_t i = 0; i < method.rows.size(); ++i) {
    if (!condition(method.rows[i])) continue;
    rows.push_back(method.rows[i]);
    probabilities.push_back(method.probabilities[i]);
    outcomes.push_back(task.outcomes[method.rows[i]]);
  }
  return {std::move(probabilities), std::move(outcomes), rows};
}

// Two methods on the rows that both have: places among the metrics.
struct MethodPair {
  size_t first_method, second_method;
  size_t first, second;
};

// Where the metrics of a method's subgroups by a column begin.
struct Grouping {
  size_t method, column, first;
};

class TaskEvaluation {
 public:
  TaskEvaluation(const BinaryTask& task, const BootstrapOptions& options);
  TaskReport report() const;

 private:
  void add_subgroups(size_t method);
  void add_pair(size_t a, size_t b);
  FigureResult figure_of(size_t metrics, BinaryFigure figure) const;
  FigureTable table_of(size_t metrics, const std::string& method) const;
  FigureTable gap_of(const Grouping& grouping) const;
  FigureResult gap_of(const Grouping& grouping, BinaryFigure figure) const;
  DifferenceTable difference_of(const MethodPair& pair) const;

  double value(size_t metrics, size_t figure) const {
    return resampled_.values[metrics * kNumBinaryFigures + figure];
  }
  const std::vector<double>& resamples(size_t metrics, size_t figure) const {
    return resampled_.resampled[metrics * kNumBinaryFigures + figure];
  }

  const BinaryTask& task_;
  const BootstrapOptions& options_;
  std::vector<BinaryMetrics> metrics_;  // first those of the methods
  std::vector<Grouping> groupings_;
  std::vector<MethodPair> pairs_;
  ResampledFigures resampled_;
};

TaskEvaluation::TaskEvaluation(const BinaryTask& task, const BootstrapOptions& options)
    : task_(task), options_(options) {
  for (const MethodScores& method : task.methods) {
    metrics_.push_back(metrics_of(task, method, [](int32_t) { return true; }));
  }
  for (size_t method = 0; method < task.methods.size(); ++method) add_subgroups(method);
  for (size_t a = 0; a < task.methods.size(); ++a) {
    for (size_t b = a + 1; b < task.methods.size(); ++b) add_pair(a, b);
  }
  const WeightedMetrics compute = [&](std::span<const double> weights, std::span<double> values) {
    for (size_t i = 0; i < metrics_.size(); ++i) {
      metrics_[i].compute(weights, values.subspan(i * kNumBinaryFigures, kNumBinaryFigures));
    }
  };
  resampled_ = resample_figures(compute, static_cast<int>(metrics_.size() * kNumBinaryFigures),
                                task.subject_ids, options);
}

void TaskEvaluation::add_subgroups(size_t method) {
  for (size_t c = 0; c < task_.subgroups.size(); ++c) {
    const SubgroupColumn& column = task_.subgroups[c];
    groupings_.push_back({method, c, metrics_.size()});
    for (size_t v = 0; v < column.values.size(); ++v) {
      metrics_.push_back(metrics_of(task_, task_.methods[method], [&](int32_t row) {
        return column.value_of[row] == static_cast<int32_t>(v);
      }));
    }
  }
}

void TaskEvaluation::add_pair(size_t a, size_t b) {
  const MethodScores &first = task_.methods[a], &second = task_.methods[b];
  if (first.rows == second.rows) {
    pairs_.push_back({a, b, a, b});
    return;
  }
  pairs_.push_back({a, b, metrics_.size(), metrics_.size() + 1});
  const auto add_common = [&](const MethodScores& own, const MethodScores& other) {
    metrics_.push_back(metrics_of(
        task_, own, [&](int32_t row) { return std::ranges::binary_search(other.rows, row); }));
  };
  add_common(first, second);
  add_common(second, first);
}

FigureResult TaskEvaluation::figure_of(size_t metrics, BinaryFigure figure) const {
  const auto place = static_cast<size_t>(figure);
  NamedFigure named = to_figure("", value(metrics, place), resamples(metrics, place),
                                metrics_[metrics].why_not(figure), options_.level);
  return {figure, named.interval, std::move(named.why_not)};
}

FigureTable TaskEvaluation::table_of(size_t metrics, const std::string& method) const {
  const ScoredOutcomes& scored = metrics_[metrics].scored();
  FigureTable table{
      .method = method, .num_rows = scored.num_rows(), .num_positive = scored.num_positive()};
  for (size_t i = 0; i < kNumBinaryFigures; ++i) {
    table.figures.push_back(figure_of(metrics, static_cast<BinaryFigure>(i)));
  }
  return table;
}

FigureResult TaskEvaluation::gap_of(const Grouping& grouping, BinaryFigure figure) const {
  const auto place = static_cast<size_t>(figure);
  std::vector<size_t> groups;
  for (size_t v = 0; v < task_.subgroups[grouping.column].values.size(); ++v) {
    if (!std::isnan(value(grouping.first + v, place))) groups.push_back(grouping.first + v);
  }
  FigureResult result{figure, {kNaN, kNaN, kNaN}, "fewer than two subgroups have it"};
  if (groups.size() < 2) return result;
  const auto gap = [&](auto value_in) {
    double least = std::numeric_limits<double>::infinity(), most = -least;
    for (const size_t group : groups) {
      const double one = value_in(group);
      if (std::isnan(one)) return kNaN;
      least = std::min(least, one);
      most = std::max(most, one);
    }
    return most - least;
  };
  std::vector<double> resampled(options_.num_resamples);
  for (size_t r = 0; r < resampled.size(); ++r) {
    resampled[r] = gap([&](size_t group) { return resamples(group, place)[r]; });
  }
  result.interval = to_interval(gap([&](size_t group) { return value(group, place); }),
                                std::move(resampled), options_.level);
  result.why_not = std::isnan(result.interval.low) ? kRarelyDefined : "";
  return result;
}

FigureTable TaskEvaluation::gap_of(const Grouping& grouping) const {
  FigureTable table{.method = task_.methods[grouping.method].name,
                    .column = task_.subgroups[grouping.column].name,
                    .is_gap = true};
  for (size_t v = 0; v < task_.subgroups[grouping.column].values.size(); ++v) {
    table.num_rows += metrics_[grouping.first + v].scored().num_rows();
    table.num_positive += metrics_[grouping.first + v].scored().num_positive();
  }
  for (size_t i = 0; i < kNumBinaryFigures; ++i) {
    table.figures.push_back(gap_of(grouping, static_cast<BinaryFigure>(i)));
  }
  return table;
}

// Scores by row of the task, as both methods of a pair have the same rows.
ScoredOutcomes scored_by_row(const BinaryTask& task, const MethodScores& method,
                             const MethodScores& other) {
  std::vector<double> scores;
  std::vector<uint8_t> outcomes;
  for (size_t i = 0; i < method.rows.size(); ++i) {
    if (!std::ranges::binary_search(other.rows, method.rows[i])) continue;
    scores.push_back(method.probabilities[i]);
    outcomes.push_back(task.outcomes[method.rows[i]]);
  }
  return {std::move(scores), std::move(outcomes)};
}

DifferenceTable TaskEvaluation::difference_of(const MethodPair& pair) const {
  const MethodScores &first = task_.methods[pair.first_method],
                     &second = task_.methods[pair.second_method];
  const ScoredOutcomes& scored = metrics_[pair.first].scored();
  DifferenceTable table{first.name, second.name, scored.num_rows(), scored.num_positive()};
  for (size_t i = 0; i < kNumBinaryFigures; ++i) {
    DifferenceResult result{.figure = static_cast<BinaryFigure>(i), .p_holm = kNaN};
    result.test = to_paired_test(resampled_, pair.first * kNumBinaryFigures + i,
                                 pair.second * kNumBinaryFigures + i, options_.level);
    for (const size_t side : {pair.second, pair.first}) {
      const std::string why_not = metrics_[side].why_not(result.figure);
      if (!why_not.empty()) result.why_not = why_not;
    }
    if (result.why_not.empty() && std::isnan(result.test.p_value)) result.why_not = kRarelyDefined;
    table.figures.push_back(std::move(result));
  }
  table.delong = delong_test(scored_by_row(task_, first, second),
                             scored_by_row(task_, second, first), options_.level);
  return table;
}

TaskReport TaskEvaluation::report() const {
  TaskReport report{.name = task_.name, .num_rows = static_cast<int64_t>(task_.outcomes.size())};
  report.num_positive = std::ranges::count(task_.outcomes, 1);
  report.num_subjects = static_cast<int64_t>(
      std::set<int64_t>(task_.subject_ids.begin(), task_.subject_ids.end()).size());
  for (size_t m = 0; m < task_.methods.size(); ++m) {
    report.tables.push_back(table_of(m, task_.methods[m].name));
    report.delong.push_back(delong_interval(metrics_[m].scored(), options_.level));
  }
  for (const Grouping& grouping : groupings_) {
    const SubgroupColumn& column = task_.subgroups[grouping.column];
    for (size_t v = 0; v < column.values.size(); ++v) {
      report.tables.push_back(table_of(grouping.first + v, task_.methods[grouping.method].name));
      report.tables.back().column = column.name;
      report.tables.back().value = column.values[v];
    }
    report.tables.push_back(gap_of(grouping));
  }
  for (const MethodPair& pair : pairs_) report.differences.push_back(difference_of(pair));
  return report;
}

}  // namespace

TaskReport evaluate_task(const BinaryTask& task, const BootstrapOptions& options) {
  return TaskEvaluation(task, options).report();
}

void adjust_p_values(std::vector<TaskReport>& reports) {
  for (size_t i = 0; i < kNumBinaryFigures; ++i) {
    std::vector<double> p_values;
    for (const TaskReport& report : reports) {
      for (const DifferenceTable& table : report.differences) {
        p_values.push_back(table.figures[i].test.p_value);
      }
    }
    const std::vector<double> adjusted = adjust_by_holm(p_values);
    size_t next = 0;
    for (TaskReport& report : reports) {
      for (DifferenceTable& table : report.differences) table.figures[i].p_holm = adjusted[next++];
    }
  }
}

}  // namespace sequela
