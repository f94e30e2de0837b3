#include "sequela/pipeline/compare_scores.h"

namespace sequela {
namespace {

BootstrapOptions bootstrap_options(const CompareOptions& options) {
  BootstrapOptions bootstrap;
  bootstrap.num_resamples = options.num_resamples;
  bootstrap.seed = options.seed;
  bootstrap.num_threads = options.num_threads;
  return bootstrap;
}

using Metric = double (ScoredOutcomes::*)(ScoredOutcomes::Weights) const;
constexpr Metric kAuroc = &ScoredOutcomes::auroc;
constexpr Metric kPrecision = &ScoredOutcomes::average_precision;

double mean_over_seeds(const std::vector<ScoredOutcomes>& scores, Metric metric,
                       ScoredOutcomes::Weights weights) {
  double sum = 0;
  for (const ScoredOutcomes& scored : scores) sum += (scored.*metric)(weights);
  return sum / static_cast<double>(scores.size());
}

// Metrics of the methods, with intervals.
void add_results(const CompareScores& scores, const std::vector<int64_t>& test_subjects,
                 const BootstrapOptions& bootstrap_options, CompareReport* report) {
  for (const auto& [key, by_seed] : scores) {
    CompareResult result{.method = key.second, .num_labels = key.first};
    const auto interval = [&, &by_seed = by_seed](Metric metric) {
      return bootstrap([&](auto weights) { return mean_over_seeds(by_seed, metric, weights); },
                       test_subjects, bootstrap_options);
    };
    result.auroc = interval(kAuroc);
    result.average_precision = interval(kPrecision);
    for (const ScoredOutcomes& scored : by_seed) result.auroc_by_seed.push_back(scored.auroc());
    report->results.push_back(std::move(result));
  }
}

}  // namespace

void summarise_scores(const CompareScores& scores, const std::vector<int64_t>& test_subjects,
                      const CompareOptions& options, CompareReport* report) {
  const BootstrapOptions bootstrap = bootstrap_options(options);
  add_results(scores, test_subjects, bootstrap, report);
  using Method = CompareMethod;
  for (const int64_t num_labels : options.num_labels) {
    for (const auto& [first, second] : {std::pair{Method::fine_tuned, Method::random},
                                        {Method::frozen, Method::random},
                                        {Method::fine_tuned, Method::frozen},
                                        {Method::pretrained_probe, Method::random_probe},
                                        {Method::pretrained_probe, Method::fine_tuned},
                                        {Method::pretrained_probe, Method::trees},
                                        {Method::fine_tuned, Method::trees}}) {
      const auto a = scores.find({num_labels, first}), b = scores.find({num_labels, second});
      if (a == scores.end() || b == scores.end()) continue;
      const auto test = [&](Metric metric) {
        return paired_bootstrap(
            [&](auto weights) {
              return mean_over_seeds(a->second, metric, weights) -
                     mean_over_seeds(b->second, metric, weights);
            },
            test_subjects, bootstrap);
      };
      report->differences.push_back({first, second, num_labels, test(kAuroc), test(kPrecision)});
    }
  }
}

}  // namespace sequela
