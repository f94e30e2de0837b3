#pragma once

// AUROC of what was fitted on few or many labels of a task: for bench/learning.cc.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "bench/learning_tasks.h"
#include "sequela/evaluation/boosted_trees.h"
#include "sequela/evaluation/matrix.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/evaluation/probe.h"

namespace sequela {

// The rows of draw `draw` of `number` labels to fit on, both outcomes among them.
inline std::vector<int64_t> draw_rows(const Task& task, int64_t number, int draw) {
  std::array<std::vector<int64_t>, 2> rows;
  for (size_t i = 0; i < task.labels.size(); ++i) {
    if (task.is_fitted[i]) rows[task.outcomes[i]].push_back(static_cast<int64_t>(i));
  }
  const auto all = static_cast<double>(rows[0].size() + rows[1].size());
  std::vector<int64_t> taken;
  for (std::vector<int64_t>& own : rows) {
    std::sort(own.begin(), own.end(),
              [&](int64_t a, int64_t b) { return hash_key(draw, a, 3) < hash_key(draw, b, 3); });
    const double share = std::min(1.0, static_cast<double>(number) / all);
    own.resize(std::max<size_t>(5, std::lround(share * static_cast<double>(own.size()))));
    taken.insert(taken.end(), own.begin(), own.end());
  }
  return taken;
}

template <class Value>
std::vector<Value> select(const std::vector<Value>& values, const std::vector<int64_t>& rows) {
  std::vector<Value> taken;
  for (const int64_t row : rows) taken.push_back(values[row]);
  return taken;
}

class Scores {
 public:
  static constexpr int kDraws = 5;  // of fewer labels than there are

  Scores(const Task& task, int num_threads) : task_(task), num_threads_(num_threads) {
    for (size_t i = 0; i < task.labels.size(); ++i) {
      if (!task.is_fitted[i]) test_.push_back(static_cast<int64_t>(i));
    }
    outcomes_ = select(task.outcomes, test_);
  }

  int64_t num_fitted() const { return static_cast<int64_t>(task_.labels.size() - test_.size()); }

  double truth() const { return untrained(task_.truth); }

  // Of scores by label; NaN without any.
  double untrained(const std::vector<double>& scores) const {
    return scores.empty() ? NAN : auroc(select(scores, test_));
  }

  // Logistic regression.
  template <class Matrix>
  double probe(const Matrix& features, int64_t number) const {
    return mean(features, number, [&](const Matrix& fitted, const auto& rows, const Matrix& test) {
      std::vector<int64_t> subjects;
      for (const int64_t row : rows) subjects.push_back(task_.labels[row].subject_id);
      return fit_probe(fitted, select(task_.outcomes, rows), subjects,
                       {.num_threads = num_threads_})
          .model.predict(test);
    });
  }

  // A fifth of the rows decides the number of rounds.
  double trees(const SparseMatrix& features, int64_t number, int max_rounds = 200) const {
    return mean(features, number,
                [&](const SparseMatrix&, const std::vector<int64_t>& rows, const auto& test) {
                  std::array<std::vector<int64_t>, 2> parts;
                  for (size_t i = 0; i < rows.size(); ++i) parts[i % 5 == 0].push_back(rows[i]);
                  const SparseMatrix train = select_rows(features, parts[0]);
                  const SparseMatrix valid = select_rows(features, parts[1]);
                  const auto train_outcomes = select(task_.outcomes, parts[0]);
                  const auto valid_outcomes = select(task_.outcomes, parts[1]);
                  return fit_boosted_trees({train, train_outcomes}, {valid, valid_outcomes}, test,
                                           {.max_rounds = max_rounds, .num_threads = num_threads_})
                      .test_scores;
                });
  }

 private:
  // Mean over the draws of `fit(features, rows to fit on, rows to score)`.
  template <class Matrix, class Fit>
  double mean(const Matrix& features, int64_t number, Fit fit) const {
    double sum = 0;
    const int draws = number < num_fitted() ? kDraws : 1;
    for (int draw = 0; draw < draws; ++draw) {
      const std::vector<int64_t> rows = draw_rows(task_, number, draw);
      sum += auroc(fit(select_rows(features, rows), rows, select_rows(features, test_)));
    }
    return sum / draws;
  }

  double auroc(std::vector<double> scores) const {
    return ScoredOutcomes(std::move(scores), outcomes_).auroc();
  }

  const Task& task_;
  const int num_threads_;
  std::vector<int64_t> test_;
  std::vector<uint8_t> outcomes_;
};

}  // namespace sequela
