#include "sequela/evaluation/probe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/core/parallel.h"
#include "sequela/core/random.h"

namespace sequela {
namespace {

template <class T>
std::vector<T> select(std::span<const T> values, std::span<const int64_t> rows) {
  std::vector<T> selected;
  selected.reserve(rows.size());
  for (const int64_t row : rows) selected.push_back(values[row]);
  return selected;
}

std::vector<RowSplit> make_folds(std::span<const int64_t> subject_ids,
                                 const ProbeOptions& options) {
  std::vector<RowSplit> folds(options.num_folds);
  for (size_t row = 0; row < subject_ids.size(); ++row) {
    const double place = to_uniform(hash_key(options.seed, subject_ids[row]));
    const auto own = static_cast<size_t>(place * options.num_folds);
    for (size_t fold = 0; fold < folds.size(); ++fold) {
      (fold == own ? folds[fold].test : folds[fold].train).push_back(static_cast<int64_t>(row));
    }
  }
  return folds;
}

// The sum of log losses of the fold's test rows, by l2 choice; each fit starts from the one before.
template <class Matrix>
std::vector<double> fold_losses(const Matrix& features, std::span<const uint8_t> outcomes,
                                const RowSplit& fold, const std::vector<double>& l2_choices) {
  std::vector<double> losses(l2_choices.size());
  if (fold.train.empty() || fold.test.empty()) return losses;
  const Matrix train = select_rows(features, fold.train), test = select_rows(features, fold.test);
  const auto train_outcomes = select(outcomes, fold.train);
  const auto test_outcomes = select(outcomes, fold.test);
  LogisticModel model;
  for (size_t i = 0; i < l2_choices.size(); ++i) {
    const LogisticOptions options{.l2 = l2_choices[i]};
    model = fit_logistic(train, train_outcomes, options, i > 0 ? &model : nullptr);
    const ScoredOutcomes scored(model.predict(test), test_outcomes);
    losses[i] = scored.log_loss() * static_cast<double>(fold.test.size());
  }
  return losses;
}

template <class Matrix>
Probe fit(const Matrix& features, std::span<const uint8_t> outcomes,
          std::span<const int64_t> subject_ids, const ProbeOptions& options) {
  options.validate();
  const std::vector<RowSplit> folds = make_folds(subject_ids, options);
  std::vector<std::vector<double>> losses(folds.size());
  parallel_for(options.num_folds, options.num_threads, [&](int64_t fold, int) {
    losses[fold] = fold_losses(features, outcomes, folds[fold], options.l2_choices);
  });
  Probe probe;
  probe.fold_losses.resize(options.l2_choices.size());
  for (const auto& of_fold : losses) {
    for (size_t i = 0; i < of_fold.size(); ++i) {
      probe.fold_losses[i] += of_fold[i] / static_cast<double>(outcomes.size());
    }
  }
  const auto best = std::min_element(probe.fold_losses.begin(), probe.fold_losses.end());
  probe.l2 = options.l2_choices[best - probe.fold_losses.begin()];
  probe.model = fit_logistic(features, outcomes, {.l2 = probe.l2});
  return probe;
}

template <class Matrix>
Probe fit_by_validation(const MatrixRows<Matrix>& train, const MatrixRows<Matrix>& validation,
                        const ProbeOptions& options) {
  options.validate();
  Probe probe;
  LogisticModel model;
  double least = HUGE_VAL;
  for (const double l2 : options.l2_choices) {
    const bool is_first = probe.fold_losses.empty();
    model = fit_logistic(train.features, train.outcomes, {.l2 = l2}, is_first ? nullptr : &model);
    const ScoredOutcomes scored(model.predict(validation.features),
                                {validation.outcomes.begin(), validation.outcomes.end()});
    const double loss = scored.log_loss();
    probe.fold_losses.push_back(loss);
    if (loss >= least) continue;
    least = loss;
    probe.l2 = l2;
    probe.model = model;
  }
  return probe;
}

template <class Matrix>
ProbeResult fit_and_evaluate(const std::string& name, const Matrix& features,
                             const LabelledRows& rows, const ProbeOptions& probe_options,
                             const BootstrapOptions& bootstrap_options) {
  const auto outcomes = select(rows.outcomes, rows.split.train);
  const auto subject_ids = select(rows.subject_ids, rows.split.train);
  const Probe probe =
      fit_probe(select_rows(features, rows.split.train), outcomes, subject_ids, probe_options);
  ProbeResult result = evaluate_scores(
      name, probe.model.predict(select_rows(features, rows.split.test)), rows, bootstrap_options);
  result.l2 = probe.l2;
  return result;
}

}  // namespace

RowSplit split_by_subject(std::span<const int64_t> subject_ids, double test_share, uint64_t seed) {
  RowSplit split;
  for (size_t row = 0; row < subject_ids.size(); ++row) {
    const bool is_test = to_uniform(hash_key(seed, subject_ids[row])) < test_share;
    (is_test ? split.test : split.train).push_back(static_cast<int64_t>(row));
  }
  return split;
}

void ProbeOptions::validate() const {
  if (num_folds < 2) throw ConfigError("folds", str(num_folds), "2 or more");
  if (l2_choices.empty()) throw ConfigError("l2", "", "one or more numbers");
  for (const double l2 : l2_choices) {
    if (!(l2 >= 0)) throw ConfigError("l2", str(l2), "0 or more");
  }
}

Probe fit_probe(const DenseMatrix& features, std::span<const uint8_t> outcomes,
                std::span<const int64_t> subject_ids, const ProbeOptions& options) {
  return fit(features, outcomes, subject_ids, options);
}

Probe fit_probe(const SparseMatrix& features, std::span<const uint8_t> outcomes,
                std::span<const int64_t> subject_ids, const ProbeOptions& options) {
  return fit(features, outcomes, subject_ids, options);
}

Probe fit_probe_by_validation(const MatrixRows<DenseMatrix>& train,
                              const MatrixRows<DenseMatrix>& validation,
                              const ProbeOptions& options) {
  return fit_by_validation(train, validation, options);
}

Probe fit_probe_by_validation(const MatrixRows<SparseMatrix>& train,
                              const MatrixRows<SparseMatrix>& validation,
                              const ProbeOptions& options) {
  return fit_by_validation(train, validation, options);
}

ProbeResult evaluate_scores(const std::string& name, const std::vector<double>& test_scores,
                            const LabelledRows& rows, const BootstrapOptions& options) {
  const auto subject_ids = select(rows.subject_ids, rows.split.test);
  const ScoredOutcomes scored(test_scores, select(rows.outcomes, rows.split.test));
  using Weights = ScoredOutcomes::Weights;
  ProbeResult result;
  result.name = name;
  result.num_train = static_cast<int64_t>(rows.split.train.size());
  result.num_test = scored.num_rows();
  result.num_test_positive = scored.num_positive();
  result.auroc = bootstrap([&](Weights w) { return scored.auroc(w); }, subject_ids, options);
  result.average_precision =
      bootstrap([&](Weights w) { return scored.average_precision(w); }, subject_ids, options);
  result.brier = bootstrap([&](Weights w) { return scored.brier(w); }, subject_ids, options);
  result.calibration = fit_calibration(scored);
  result.test_scores = test_scores;
  return result;
}

ProbeResult evaluate_probe(const std::string& name, const DenseMatrix& features,
                           const LabelledRows& rows, const ProbeOptions& probe_options,
                           const BootstrapOptions& bootstrap_options) {
  return fit_and_evaluate(name, features, rows, probe_options, bootstrap_options);
}

ProbeResult evaluate_probe(const std::string& name, const SparseMatrix& features,
                           const LabelledRows& rows, const ProbeOptions& probe_options,
                           const BootstrapOptions& bootstrap_options) {
  return fit_and_evaluate(name, features, rows, probe_options, bootstrap_options);
}

Interval auroc_difference(const ProbeResult& a, const ProbeResult& b, const LabelledRows& rows,
                          const BootstrapOptions& options) {
  const auto outcomes = select(rows.outcomes, rows.split.test);
  const ScoredOutcomes scored_a(a.test_scores, outcomes), scored_b(b.test_scores, outcomes);
  return bootstrap([&](ScoredOutcomes::Weights w) { return scored_a.auroc(w) - scored_b.auroc(w); },
                   select(rows.subject_ids, rows.split.test), options);
}

}  // namespace sequela
