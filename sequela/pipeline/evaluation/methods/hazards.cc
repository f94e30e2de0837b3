#include "sequela/pipeline/evaluation/methods/hazards.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/nan.h"
#include "sequela/core/suggest.h"
#include "sequela/features/event_risk.h"
#include "sequela/model/encoder_weights.h"
#include "sequela/model/model_dir.h"
#include "sequela/model/motor_head.h"

namespace sequela {
namespace {

constexpr double kSecondsOfDay = 86'400;
constexpr int64_t kRowsAtOnce = 64;

// The place of a code among a bundle's tasks.
int64_t find_motor_task(const std::string& model, const ModelConfig& config,
                        const std::string& code) {
  if (!config.motor) {
    throw ConfigError(str(model,
                          ": the model has no MOTOR head, so no hazards. Fix: leave out --hazard, "
                          "or give a bundle of `sequela pretrain`."));
  }
  std::vector<std::string> known;
  for (const MotorHeadConfig::Task& task : config.motor->tasks) known.push_back(task.code);
  const auto found = std::ranges::find(known, code);
  if (found == known.end()) {
    const std::string suggestion = did_you_mean(code, known);
    throw ConfigError(str("--hazard: the model has no task '", code, "'", suggestion,
                          suggestion.empty() ? "." : "", " Fix: give one of the ", known.size(),
                          " codes under task_config in ", model, "/config.json."));
  }
  if (std::ranges::count(known, code) > 1) {
    throw ConfigError(str("--hazard: '", code,
                          "' is several tasks of the model, ranges of a value. Fix: give a code "
                          "that is one task."));
  }
  return found - known.begin();
}

// Log2 rates of one task of a head, [rows, bins], of hidden states in the rows' first columns.
class TaskRates {
 public:
  TaskRates(const std::string& model, int64_t task)
      : motor_(open_bundle(model, at::kCPU, Precision::fp32)),
        config_(*motor_.config().motor),
        head_(config_, at::kFloat, at::kCPU),
        weights_(bind_motor_head(motor_.parameters(), motor_.parameters().flat_values,
                                 motor_.parameters().flat_values)),
        task_(task) {}

  const std::vector<double>& time_bins() const { return config_.time_bins; }
  int64_t hidden_size() const { return motor_.config().encoder.hidden_size; }

  // rows_RD: the embeddings of some rows, of which the first hidden_size() columns count.
  at::Tensor of(const at::Tensor& rows_RD) {
    const at::Tensor hidden_RH = rows_RD.slice(1, 0, hidden_size()).contiguous();
    return head_.logits(hidden_RH, at::arange(rows_RD.size(0)), weights_)
        .select(2, task_)
        .contiguous();
  }

 private:
  Motor motor_;
  const MotorHeadConfig config_;
  MotorHead head_;
  const MotorHeadTensors weights_;
  const int64_t task_;
};

}  // namespace

HazardOfTask parse_hazard(const std::string& argument) {
  HazardOfTask hazard{.code = argument};
  if (const size_t end = argument.find('='); end != std::string::npos) {
    hazard.task = argument.substr(0, end);
    hazard.code = argument.substr(end + 1);
  }
  if (const size_t at = hazard.code.rfind('@'); at != std::string::npos) {
    const char *first = hazard.code.data() + at + 1,
               *last = hazard.code.data() + hazard.code.size();
    const auto [end, problem] = std::from_chars(first, last, hazard.days);
    if (problem != std::errc() || end != last || !(hazard.days > 0) || std::isinf(hazard.days))
      throw ConfigError("hazard", argument, "[TASK=]CODE[@DAYS], days above 0");
    hazard.code.resize(at);
  }
  if (hazard.code.empty()) throw ConfigError("hazard", argument, "[TASK=]CODE[@DAYS]");
  return hazard;
}

MotorHazards::MotorHazards(const EvaluateMethodsOptions& options,
                           std::shared_ptr<Lazy<DenseFeatures>> embeddings)
    : Method("hazards", "the bundle's own hazards, nothing trained"),
      model_(options.model),
      embeddings_(std::move(embeddings)) {
  const ModelConfig config = read_model_config(model_ + "/config.json");
  for (const std::string& argument : options.hazards) {
    const HazardOfTask hazard = parse_hazard(argument);
    places_[hazard.code] = find_motor_task(model_, config, hazard.code);
    if (hazards_.emplace(hazard.task, hazard).second) continue;
    throw ConfigError(str("--hazard: two for ", hazard.task.empty() ? "all tasks" : hazard.task,
                          ". Fix: name tasks, TASK=CODE."));
  }
}

const HazardOfTask* MotorHazards::find(const LabelTask& task) const {
  for (const std::string& name : {task.name, std::string()}) {
    if (const auto found = hazards_.find(name); found != hazards_.end()) return &found->second;
  }
  return nullptr;
}

std::string MotorHazards::why_not(const LabelTask& task) const {
  const HazardOfTask* hazard = find(task);
  if (hazard == nullptr) return "--hazard names no code for it";
  if (hazard->days == 0 && !task.is_survival()) return "--hazard names no days for it";
  return "";
}

void MotorHazards::describe(const LabelTask& task, RunRecipe& recipe) const {
  const HazardOfTask& hazard = *find(task);
  recipe.set("hazard", hazard.code);
  recipe.set("hazard-days", hazard.days);
}

std::vector<double> MotorHazards::predict(const LabelTask& task, const LearningRows& rows) {
  std::vector<double> found = risks(task, task.test, {find(task)->days});
  int64_t positive = 0;
  for (const int64_t row : rows.train) positive += task.outcomes[row];
  const double share = static_cast<double>(positive) / static_cast<double>(rows.train.size());
  for (double& risk : found) risk = std::isnan(risk) ? share : risk;
  return found;
}

// The score is the risk by the last horizon; of a label without a history the mean risks.
SurvivalScores MotorHazards::predict_survival(const LabelTask& task, const LearningRows& /*rows*/,
                                              const std::vector<double>& horizons) {
  std::vector<double> found = risks(task, task.test, horizons);
  const size_t num = horizons.size();
  for (size_t h = 0; h < num; ++h) {
    double sum = 0, known = 0;
    for (size_t i = h; i < found.size(); i += num) {
      if (std::isnan(found[i])) continue;
      sum += found[i];
      known += 1;
    }
    for (size_t i = h; i < found.size(); i += num) {
      if (std::isnan(found[i])) found[i] = known > 0 ? sum / known : 0;
    }
  }
  SurvivalScores scores{.method = name(), .scores = {}, .survival = {}};
  for (size_t i = 0; i < found.size(); ++i) {
    scores.survival.push_back(1 - found[i]);
    if (i % num == num - 1) scores.scores.push_back(found[i]);
  }
  return scores;
}

std::vector<double> MotorHazards::risks(const LabelTask& task, const std::vector<int64_t>& rows,
                                        const std::vector<double>& horizons) {
  const at::NoGradGuard no_gradients;
  const DenseFeatures& features = embeddings_->get();
  TaskRates rates(model_, places_.at(find(task)->code));
  std::vector<EventRisk> by_horizon;
  for (const double days : horizons)
    by_horizon.emplace_back(rates.time_bins(), days * kSecondsOfDay);
  std::vector<double> found;
  for (size_t first = 0; first < rows.size(); first += kRowsAtOnce) {
    const size_t end = std::min(rows.size(), first + kRowsAtOnce);
    const std::vector<int64_t> part(rows.begin() + first, rows.begin() + end);
    DenseMatrix chosen = select_rows(features.matrix, values_at(task.places, part));
    const at::Tensor rates_RK =
        rates.of(at::from_blob(chosen.values.data(), {chosen.num_rows, chosen.num_columns}));
    for (size_t i = 0; i < part.size(); ++i) {
      const bool is_known = features.is_known[task.places[part[i]]] != 0;
      const float* own =
          rates_RK.const_data_ptr<float>() + static_cast<int64_t>(i) * rates_RK.size(1);
      for (const EventRisk& risk : by_horizon) found.push_back(is_known ? risk(own, 1) : kNaN);
    }
  }
  return found;
}

}  // namespace sequela
