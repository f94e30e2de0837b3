#include "sequela/evaluation/drawn_scores.h"

#include <array>
#include <stdexcept>
#include <utility>

namespace sequela {
namespace {

using RankFigure = double (ScoredOutcomes::*)(ScoredOutcomes::Weights) const;
constexpr std::array<RankFigure, 2> kRankFigures = {&ScoredOutcomes::auroc,
                                                    &ScoredOutcomes::average_precision};

double mean_over_draws(const DrawnScores& run, RankFigure figure, ScoredOutcomes::Weights weights) {
  double sum = 0;
  for (const ScoredOutcomes& scored : run.by_draw) sum += (scored.*figure)(weights);
  return sum / static_cast<double>(run.by_draw.size());
}

void check_draws(std::span<const DrawnScores> runs, size_t num_rows) {
  for (const DrawnScores& run : runs) {
    if (run.by_draw.empty()) throw std::invalid_argument("a run needs a draw");
    for (const ScoredOutcomes& scored : run.by_draw) {
      if (scored.scores().size() != num_rows) throw std::invalid_argument("a score for each row");
    }
  }
}

}  // namespace

DrawnSummary::DrawnSummary(std::span<const DrawnScores> runs,
                           std::span<const int64_t> test_subjects, const BootstrapOptions& options)
    : level_(options.level) {
  check_draws(runs, test_subjects.size());
  constexpr size_t kFigures = kRankFigures.size();
  resampled_ = resample_figures(
      [&](std::span<const double> weights, std::span<double> values) {
        for (size_t i = 0; i < values.size(); ++i)
          values[i] = mean_over_draws(runs[i / kFigures], kRankFigures[i % kFigures], weights);
      },
      static_cast<int>(runs.size() * kFigures), test_subjects, options);
  for (size_t i = 0; i < runs.size(); ++i) {
    DrawnResult result{.method = runs[i].method, .num_labels = runs[i].num_labels};
    const auto interval = [&](size_t figure) {
      const size_t place = i * kFigures + figure;
      return to_interval(resampled_.values[place], resampled_.resampled[place], level_);
    };
    result.auroc = interval(0);
    result.average_precision = interval(1);
    for (const ScoredOutcomes& scored : runs[i].by_draw) {
      result.auroc_by_draw.push_back(scored.auroc());
      result.average_precision_by_draw.push_back(scored.average_precision());
    }
    results_.push_back(std::move(result));
  }
}

PairedTest DrawnSummary::difference_of(size_t first, size_t second, size_t figure) const {
  return to_paired_test(resampled_, first * kRankFigures.size() + figure,
                        second * kRankFigures.size() + figure, level_);
}

DrawnDifference DrawnSummary::difference(size_t first, size_t second) const {
  return {difference_of(first, second, 0), difference_of(first, second, 1)};
}

}  // namespace sequela
