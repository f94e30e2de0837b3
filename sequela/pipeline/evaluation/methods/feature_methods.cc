#include "sequela/pipeline/evaluation/methods/feature_methods.h"

#include <algorithm>
#include <utility>

#include "sequela/evaluation/boosted_trees.h"
#include "sequela/evaluation/cox.h"
#include "sequela/evaluation/probe.h"

namespace sequela {
namespace {

constexpr size_t kFewRows = 256;  // 128 of each outcome

// What a probe fits on: rows of the features, and their outcomes.
template <class Matrix>
struct ProbeRows {
  Matrix features;
  std::vector<uint8_t> outcomes;
};

template <class Matrix>
ProbeRows<Matrix> probe_rows(const Matrix& features, const LabelTask& task,
                             const std::vector<int64_t>& rows) {
  return {select_rows(features, values_at(task.places, rows)), values_at(task.outcomes, rows)};
}

bool has_both(const std::vector<uint8_t>& outcomes) {
  const auto positive = std::ranges::count(outcomes, 1);
  return positive > 0 && positive < static_cast<int64_t>(outcomes.size());
}

double share_of_positives(const std::vector<uint8_t>& outcomes) {
  return static_cast<double>(std::ranges::count(outcomes, 1)) /
         static_cast<double>(outcomes.size());
}

template <class Matrix>
std::vector<double> probe(const Matrix& features, const LabelTask& task, const LearningRows& rows,
                          const std::vector<int64_t>& test, int num_threads) {
  const ProbeRows<Matrix> train = probe_rows(features, task, rows.train);
  const ProbeRows<Matrix> validation = probe_rows(features, task, rows.validation);
  const ProbeOptions options{.num_threads = num_threads};
  const LogisticModel model =
      has_both(validation.outcomes)
          ? fit_probe_by_validation(MatrixRows<Matrix>{train.features, train.outcomes},
                                    {validation.features, validation.outcomes}, options)
                .model
          : fit_probe(train.features, train.outcomes, values_at(task.subject_ids, rows.train),
                      options)
                .model;
  return model.predict(select_rows(features, values_at(task.places, test)));
}

// Regularisations of Cox regression to choose from, strongest first.
constexpr double kCoxChoices[] = {10, 1, 0.1, 0.01, 1e-3};

struct SurvivalRows {
  DenseMatrix features;
  std::vector<double> days;
  std::vector<uint8_t> kinds;  // 1 = the event; all else ends follow-up
  CoxRows view() const { return {features, {days, kinds}}; }
};

std::vector<uint8_t> causes_at(const LabelTask& task, const std::vector<int64_t>& rows) {
  std::vector<uint8_t> kinds;
  for (const int64_t row : rows)
    kinds.push_back(task.ends[row] == static_cast<uint8_t>(FollowUpEnd::event));
  return kinds;
}

// The values of some rows among all of them, in order; the others get `otherwise`.
std::vector<double> spread(const std::vector<double>& values, const std::vector<int64_t>& rows,
                           const std::vector<int64_t>& all, double otherwise) {
  std::vector<double> found(all.size(), otherwise);
  for (size_t i = 0, next = 0; i < all.size(); ++i) {
    if (next < rows.size() && all[i] == rows[next]) found[i] = values[next++];
  }
  return found;
}

}  // namespace

DenseProbe::DenseProbe(std::string name, std::string title,
                       std::shared_ptr<Lazy<DenseFeatures>> features, int num_threads,
                       Origin origin)
    : Method(std::move(name), std::move(title)),
      features_(std::move(features)),
      num_threads_(num_threads),
      origin_(origin) {}

std::vector<int64_t> DenseProbe::known_rows(const LabelTask& task,
                                            const std::vector<int64_t>& rows) {
  std::vector<int64_t> known;
  for (const int64_t row : rows) {
    if (features_->get().is_known[task.places[row]] != 0) known.push_back(row);
  }
  return known;
}

std::vector<double> DenseProbe::predict(const LabelTask& task, const LearningRows& rows) {
  const LearningRows learned{known_rows(task, rows.train), known_rows(task, rows.validation)};
  const std::vector<int64_t> test = known_rows(task, task.test);
  const double share = share_of_positives(values_at(task.outcomes, rows.train));
  if (test.empty() || !has_both(values_at(task.outcomes, learned.train)))
    return std::vector<double>(task.test.size(), share);
  return spread(probe(features_->get().matrix, task, learned, test, num_threads_), test, task.test,
                share);
}

SurvivalScores DenseProbe::predict_survival(const LabelTask& task, const LearningRows& rows,
                                            const std::vector<double>& horizons) {
  const DenseMatrix& features = features_->get().matrix;
  const auto part = [&](const std::vector<int64_t>& of) {
    const std::vector<int64_t> known = known_rows(task, of);
    return SurvivalRows{select_rows(features, values_at(task.places, known)),
                        values_at(task.days, known), causes_at(task, known)};
  };
  const SurvivalRows train = part(rows.train), validation = part(rows.validation);
  SurvivalScores found{.method = name(), .scores = {}, .survival = {}};
  const auto width = static_cast<size_t>(features.num_columns);
  CoxModel model{std::vector<float>(width), std::vector<double>(width), {.before = 0}};
  if (std::ranges::find(train.kinds, 1) != train.kinds.end())
    model = fit_cox_by_validation(train.view(), validation.view(), kCoxChoices);
  const std::vector<int64_t> test = known_rows(task, task.test);
  const std::vector<double> scores =
      model.scores(select_rows(features, values_at(task.places, test)));
  double mean = 0;
  for (const double score : scores) mean += score / static_cast<double>(scores.size());
  found.scores = spread(scores, test, task.test, mean);
  for (const double score : found.scores) {
    for (const double days : horizons) found.survival.push_back(model.survival(score, days));
  }
  return found;
}

SparseProbe::SparseProbe(std::string name, std::string title,
                         std::shared_ptr<Lazy<SparseMatrix>> features, int num_threads)
    : Method(std::move(name), std::move(title)),
      features_(std::move(features)),
      num_threads_(num_threads) {}

std::vector<double> SparseProbe::predict(const LabelTask& task, const LearningRows& rows) {
  return probe(features_->get(), task, rows, task.test, num_threads_);
}

SparseTrees::SparseTrees(std::string name, std::string title,
                         std::shared_ptr<Lazy<SparseMatrix>> features, int num_threads)
    : Method(std::move(name), std::move(title)),
      features_(std::move(features)),
      num_threads_(num_threads) {}

std::string SparseTrees::why_not(const LabelTask& task) const {
  const std::string why_not = Method::why_not(task);
  return why_not.empty() ? why_no_boosted_trees() : why_not;
}

std::vector<double> SparseTrees::predict(const LabelTask& task, const LearningRows& rows) {
  const SparseMatrix& features = features_->get();
  const ProbeRows<SparseMatrix> train = probe_rows(features, task, rows.train);
  const ProbeRows<SparseMatrix> validation = probe_rows(features, task, rows.validation);
  BoostedTreesOptions options{.num_threads = num_threads_};
  if (rows.train.size() <= kFewRows) {
    options.min_child_weight = 0;
    options.subsample = 1;
  }
  return fit_boosted_trees({train.features, train.outcomes},
                           {validation.features, validation.outcomes},
                           select_rows(features, values_at(task.places, task.test)), options)
      .test_scores;
}

}  // namespace sequela
