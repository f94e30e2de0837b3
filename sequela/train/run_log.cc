#include "sequela/train/run_log.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
  char line[256];
  std::snprintf(line, sizeof(line), format, values...);
  return line;
}

// The entries of a list that came before the point at which the run goes on.
Json entries_until(const Json& metrics, const char* list, int64_t last_step,
                   const std::string& path) {
  Json kept = Json::array();
  try {
    for (const Json& entry : metrics.at(list)) {
      if (entry.at("step").get<int64_t>() <= last_step) kept.push_back(entry);
    }
  } catch (const nlohmann::json::exception&) {
    throw FileError(path, str("'", list, "' is no list of steps"), "remove this file");
  }
  return kept;
}

}  // namespace

RunLog::RunLog(const std::string& folder)
    : path_(folder + "/metrics.json"),
      writer_(folder + "/runs"),
      metrics_(
          std::make_unique<Json>(Json{{"log", Json::array()}, {"evaluations", Json::array()}})) {}

RunLog::~RunLog() = default;

void RunLog::resume(const Stand& stand) {
  if (!std::filesystem::exists(path_)) return;
  const Json found = parse_json(read_file(path_), path_);
  const int64_t last_evaluation = stand.is_evaluated ? stand.step : stand.step - 1;
  *metrics_ = {{"log", entries_until(found, "log", stand.step, path_)},
               {"evaluations", entries_until(found, "evaluations", last_evaluation, path_)}};
  if (found.contains("warned_at") && found["warned_at"].is_number_integer() &&
      found["warned_at"].get<int64_t>() <= stand.step) {
    (*metrics_)["warned_at"] = found["warned_at"];
  }
}

void RunLog::add(const StepLog& entry) {
  Figures figures = {{"train/loss", entry.loss, ""},
                     {"train/learning_rate", entry.learning_rate, ""},
                     {"train/grad_norm", entry.gradient_norm, ""},
                     {"train/tokens_per_second", entry.tokens_per_second, ""},
                     {"train/mfu", entry.mfu, ""}};
  figures.insert(figures.end(), entry.figures.begin(), entry.figures.end());
  Json row = {{"step", entry.step}};
  for (const Figure& figure : figures) {
    writer_.add_scalar(figure.name, figure.value, entry.step);
    row[figure.name] = json_double(figure.value);
  }
  (*metrics_)["log"].push_back(std::move(row));
  write();
  log_info(formatted(
      "step %lld/%lld: loss %.5g, learning rate %.3g, gradient norm %.3g, %.0f tokens/s, "
      "%.0f %% of the GEMM rate",
      static_cast<long long>(entry.step), static_cast<long long>(entry.total_steps), entry.loss,
      entry.learning_rate, entry.gradient_norm, entry.tokens_per_second, 100 * entry.mfu));
}

void RunLog::add_evaluation(const EvaluationLog& entry) {
  Json row = {{"step", entry.step}, {"is_best", entry.is_best}};
  std::string line =
      formatted("step %lld: validation loss %.6g%s", static_cast<long long>(entry.step), entry.loss,
                entry.is_best ? " (best so far)" : "");
  Figures figures = {{"eval/loss", entry.loss, ""}};
  figures.insert(figures.end(), entry.figures.begin(), entry.figures.end());
  for (const Figure& figure : figures) {
    writer_.add_scalar(figure.name, figure.value, entry.step);
    row[figure.name] = json_double(figure.value);
    if (!figure.label.empty()) line += str(", ", figure.label, formatted(" %.4g", figure.value));
  }
  (*metrics_)["evaluations"].push_back(std::move(row));
  write();
  log_info(line);
}

void RunLog::warn_once(int64_t step, const std::string& message) {
  if (metrics_->contains("warned_at")) return;
  (*metrics_)["warned_at"] = step;
  write();
  log_warning(message);
}

void RunLog::write() {
  writer_.flush();
  write_file(path_, json_text(*metrics_) + "\n");
}

}  // namespace sequela
