#include "sequela/pipeline/evaluation/evaluation_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sequela/core/log.h"
#include "sequela/evaluation/curve_bands.h"
#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/evaluation/report.h"

namespace sequela {
namespace {

constexpr int kEvaluationSchema = 1;
constexpr int kMaxBandResamples = 200;

Json band_json(const CurveBand& band, const char* place_name) {
  Json points = Json::array();
  for (size_t i = 0; i < band.places.size(); ++i) {
    Json point = {{place_name, band.places[i]}};
    point.update(interval_json(band.values[i]));
    points.push_back(std::move(point));
  }
  return points;
}

// The decision curve with the band of its net benefit.
Json with_band(Json decision, const CurveBand& band) {
  for (size_t i = 0; i < decision.size(); ++i) {
    decision[i]["low"] = number_json(band.values[i].low);
    decision[i]["high"] = number_json(band.values[i].high);
  }
  return decision;
}

Json points_of(const Json& thresholds, const char* x, const char* x_key, const char* y,
               const char* y_key) {
  Json points = Json::array();
  for (const Json& point : thresholds)
    points.push_back({{"threshold", point["threshold"]}, {x, point[x_key]}, {y, point[y_key]}});
  return points;
}

Json method_curves(const BinaryTask& task, const MethodScores& method, const Json& curves,
                   const EvaluateOptions& options) {
  std::vector<int64_t> rows(method.rows.begin(), method.rows.end());
  const std::vector<uint8_t> outcomes = values_at(task.outcomes, rows);
  const std::vector<int64_t> subject_ids = values_at(task.subject_ids, rows);
  const CurveBands bands =
      find_curve_bands({method.probabilities, outcomes, subject_ids},
                       {.num_resamples = std::min(options.num_bootstraps, kMaxBandResamples),
                        .seed = options.seed,
                        .num_threads = options.num_threads});
  const Json& thresholds = curves.at("thresholds");
  return {{"roc", points_of(thresholds, "false_positive_rate", "false_positive_rate",
                            "true_positive_rate", "true_positive_rate")},
          {"roc_band", band_json(bands.roc, "false_positive_rate")},
          {"precision_recall",
           points_of(thresholds, "recall", "true_positive_rate", "precision", "precision")},
          {"precision_recall_band", band_json(bands.precision_recall, "recall")},
          {"calibration", curves.at("calibration")},
          {"calibration_band", band_json(bands.calibration, "score")},
          {"calibration_bins", curves.at("calibration_bins")},
          {"decision", with_band(curves.at("decision"), bands.decision)}};
}

Json known_or_null(const std::vector<Json>& of_tasks, size_t task) {
  return task < of_tasks.size() ? of_tasks[task] : Json();
}

Json manifest_json(const RunRecipe& recipe) {
  Json inputs = Json::object();
  for (const auto& [name, files] : recipe.inputs) {
    for (const auto& [file, digest] : files) inputs[name][file] = digest;
  }
  return {{"parameters", recipe.parameters}, {"inputs", inputs}};
}

}  // namespace

Json evaluation_json(const EvaluateOptions& options, const RunRecipe& recipe,
                     const std::vector<BinaryTask>& tasks, const std::vector<TaskReport>& reports,
                     const EvaluationFacts& facts) {
  Json json = {{"schema", kEvaluationSchema},
               {"sequela", SEQUELA_VERSION},
               {"command", "evaluate"},
               {"bootstraps", options.num_bootstraps},
               {"band_bootstraps", std::min(options.num_bootstraps, kMaxBandResamples)},
               {"level", 0.95},
               {"seed", options.seed},
               {"data", facts.data},
               {"model", facts.model},
               {"methods", facts.methods},
               {"leaks", facts.leaks}};
  Json task_list = to_json(reports).at("tasks");
  const Json curves = curves_json(tasks).at("curves");
  Progress progress("bands", static_cast<int64_t>(curves.size()), "curves");
  size_t next_curve = 0;
  for (size_t t = 0; t < tasks.size(); ++t) {
    Json& task = task_list[t];
    task["kind"] = "binary";
    task["sides"] = known_or_null(facts.sides, t);
    for (size_t m = 0; m < tasks[t].methods.size(); ++m) {
      task["methods"][m]["curves"] =
          method_curves(tasks[t], tasks[t].methods[m], curves[next_curve++], options);
      progress.advance(1);
    }
    task["few_shot"] = known_or_null(facts.few_shot, t);
    task["map"] = known_or_null(facts.maps, t);
  }
  for (const Json& task : facts.survival) task_list.push_back(task);
  json["tasks"] = task_list;
  json["manifest"] = manifest_json(recipe);
  return json;
}

}  // namespace sequela
