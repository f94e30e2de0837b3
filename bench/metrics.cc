// Times the figures of binary predictions with a bootstrap by subject: all of BinaryMetrics
// together (AUROC, AUPRC, Brier score, log loss, calibration, alerts, net benefit), in resamples
// per second. Usage: bench_metrics [rows [resamples [threads]]]; the rows are of half as many
// subjects, a tenth positive, their scores distinct.

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "sequela/core/parallel.h"
#include "sequela/core/random.h"
#include "sequela/evaluation/binary_metrics.h"
#include "sequela/evaluation/bootstrap.h"

namespace sequela {
namespace {

double now_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

void run(int64_t num_rows, const BootstrapOptions& options) {
  Random random(1);
  std::vector<double> scores;
  std::vector<uint8_t> outcomes;
  std::vector<int64_t> subjects;
  for (int64_t i = 0; i < num_rows; ++i) {
    const double risk = 1 / (1 + std::exp(3 - random.normal()));
    scores.push_back(risk);
    outcomes.push_back(random.uniform() < risk);
    subjects.push_back(static_cast<int64_t>(random.below(num_rows / 2 + 1)));
  }
  double start = now_seconds();
  const BinaryMetrics metrics(std::move(scores), std::move(outcomes));
  std::printf("%lld rows: sorted and prepared in %.2f s\n", static_cast<long long>(num_rows),
              now_seconds() - start);
  start = now_seconds();
  const ResampledFigures figures =
      resample_figures([&](auto weights, auto values) { metrics.compute(weights, values); },
                       kNumBinaryFigures, subjects, options);
  const double seconds = now_seconds() - start;
  std::printf(
      "%d resamples of %zu figures on %d threads: %.1f s, %.1f resamples/s, %.1f M rows/s\n",
      options.num_resamples, kNumBinaryFigures, options.num_threads, seconds,
      options.num_resamples / seconds,
      1e-6 * static_cast<double>(num_rows) * options.num_resamples / seconds);
  for (size_t i = 0; i < kNumBinaryFigures; ++i) {
    std::printf("  %-26s %s\n", std::string(kBinaryFigureNames[i]).c_str(),
                to_text(to_interval(figures.values[i], figures.resampled[i]), 5).c_str());
  }
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  const int64_t num_rows = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  sequela::BootstrapOptions options;
  if (argc > 2) options.num_resamples = std::atoi(argv[2]);
  options.num_threads = argc > 3 ? std::atoi(argv[3]) : sequela::default_num_threads();
  sequela::run(num_rows, options);
}
