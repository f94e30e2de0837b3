#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/evaluation/curves.h"
#include "sequela/pipeline/evaluation/report.h"

namespace sequela {
namespace {

constexpr size_t kMaxPoints = 200;

Json threshold_json(const ScoredOutcomes& scored) {
  Json points = Json::array();
  for (const CurvePoint& point : thin_threshold_curve(scored, kMaxPoints)) {
    points.push_back({{"threshold", point.threshold},
                      {"true_positive_rate", point.true_positive_rate},
                      {"false_positive_rate", point.false_positive_rate},
                      {"precision", point.precision}});
  }
  return points;
}

// Nearly evenly many of the curve's points, with its first and last.
Json smooth_json(const BinaryMetrics::CalibrationCurve& curve) {
  Json points = Json::array();
  const size_t all = curve.scores.size(), kept = std::min(all, kMaxPoints);
  for (size_t i = 0; i < kept; ++i) {
    const size_t place = kept > 1 ? i * (all - 1) / (kept - 1) : 0;
    points.push_back({{"score", curve.scores[place]}, {"rate", curve.rates[place]}});
  }
  return points;
}

Json bins_json(const ScoredOutcomes& scored) {
  Json bins = Json::array();
  for (const CalibrationBin& bin : calibration_bins(scored)) {
    bins.push_back({{"mean_score", bin.mean_score},
                    {"positive_rate", bin.positive_rate},
                    {"num_rows", bin.num_rows}});
  }
  return bins;
}

Json decision_json(const ScoredOutcomes& scored) {
  Json points = Json::array();
  for (const DecisionPoint& point : decision_curve(scored)) {
    points.push_back({{"threshold", point.threshold},
                      {"net_benefit", point.net_benefit},
                      {"net_benefit_of_all", point.net_benefit_of_all}});
  }
  return points;
}

}  // namespace

Json curves_json(const std::vector<BinaryTask>& tasks) {
  Json curves = Json::array();
  for (const BinaryTask& task : tasks) {
    for (const MethodScores& method : task.methods) {
      std::vector<uint8_t> outcomes;
      for (const int32_t row : method.rows) outcomes.push_back(task.outcomes[row]);
      const BinaryMetrics metrics(method.probabilities, outcomes);
      curves.push_back({{"task", task.name},
                        {"method", method.name},
                        {"thresholds", threshold_json(metrics.scored())},
                        {"calibration", smooth_json(metrics.calibration_curve())},
                        {"calibration_bins", bins_json(metrics.scored())},
                        {"decision", decision_json(metrics.scored())}});
    }
  }
  return {{"curves", curves}};
}

}  // namespace sequela
