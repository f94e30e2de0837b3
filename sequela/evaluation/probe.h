#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/evaluation/bootstrap.h"
#include "sequela/evaluation/logistic.h"
#include "sequela/evaluation/metrics.h"

namespace sequela {

// Row numbers of a labelled cohort; all rows of a subject are on one side.
struct RowSplit {
  std::vector<int64_t> train;
  std::vector<int64_t> test;
};

// Deals subjects by a hash of (seed, subject id): about `test_share` of them to the test side.
RowSplit split_by_subject(std::span<const int64_t> subject_ids, double test_share, uint64_t seed);

struct ProbeOptions {
  // Regularisations to choose from, strongest first; see LogisticOptions::l2.
  std::vector<double> l2_choices = {10, 1, 0.1, 0.01, 1e-3, 1e-4};
  int num_folds = 5;  // of the cross-validation that chooses, by subject
  uint64_t seed = 1;
  int num_threads = 1;  // changes no digit

  void validate() const;  // ConfigError
};

// Logistic regression whose regularisation has the least mean log loss in cross-validation.
struct Probe {
  LogisticModel model;
  double l2 = 0;
  std::vector<double> fold_losses;  // mean log loss in nats of held-out rows, by l2 choice
};
Probe fit_probe(const DenseMatrix& features, std::span<const uint8_t> outcomes,
                std::span<const int64_t> subject_ids, const ProbeOptions& options);
Probe fit_probe(const SparseMatrix& features, std::span<const uint8_t> outcomes,
                std::span<const int64_t> subject_ids, const ProbeOptions& options);

// The same with validation rows of their own: the regularisation with the least mean log loss on
// them (the strongest of equals), fitted to the train rows alone. fold_losses are those losses.
template <class Matrix>
struct MatrixRows {
  const Matrix& features;
  std::span<const uint8_t> outcomes;  // 0 or 1
};
Probe fit_probe_by_validation(const MatrixRows<DenseMatrix>& train,
                              const MatrixRows<DenseMatrix>& validation,
                              const ProbeOptions& options);
Probe fit_probe_by_validation(const MatrixRows<SparseMatrix>& train,
                              const MatrixRows<SparseMatrix>& validation,
                              const ProbeOptions& options);

// How good a probe's, or any model's, probabilities are on rows that it has not seen.
struct ProbeResult {
  std::string name;
  int64_t num_train = 0;
  int64_t num_test = 0;
  int64_t num_test_positive = 0;
  double l2 = 0;
  Interval auroc = {};
  Interval average_precision = {};
  Interval brier = {};
  Calibration calibration = {};
  std::vector<double> test_scores;  // by row of RowSplit::test
};

// The rows of one prediction task. All spans have one entry a row.
struct LabelledRows {
  std::span<const uint8_t> outcomes;  // 0 or 1
  std::span<const int64_t> subject_ids;
  RowSplit split;
};

// Metrics of given probabilities for the test rows, with intervals.
ProbeResult evaluate_scores(const std::string& name, const std::vector<double>& test_scores,
                            const LabelledRows& rows, const BootstrapOptions& options);

// Fits a probe on the train rows and evaluates it on the test rows.
ProbeResult evaluate_probe(const std::string& name, const DenseMatrix& features,
                           const LabelledRows& rows, const ProbeOptions& probe_options,
                           const BootstrapOptions& bootstrap_options);
ProbeResult evaluate_probe(const std::string& name, const SparseMatrix& features,
                           const LabelledRows& rows, const ProbeOptions& probe_options,
                           const BootstrapOptions& bootstrap_options);

// AUROC of a minus AUROC of b on the same test rows, with the interval of the paired difference.
Interval auroc_difference(const ProbeResult& a, const ProbeResult& b, const LabelledRows& rows,
                          const BootstrapOptions& options);

}  // namespace sequela
