// motor_task.json:
//   {"time_bins": [0, seconds, ..., Infinity],
//    "tasks": [{"code": text, "rate": events per second, "n_censored": count, "n_events": count,
//               "mean_time": seconds, and of value tasks "val_start", "val_end": numbers}, ...],
//    "final_layer_size": count}
#include "sequela/task/motor_task.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr size_t kMaxTasks = 65'536;
constexpr size_t kMaxBins = 1'024;
constexpr int32_t kMaxLayerSize = 1 << 16;

const Json& member(const Json& object, const char* key, const std::string& path) {
  if (!object.is_object() || !object.contains(key)) {
    throw FileError(path, str("field '", key, "' is missing"));
  }
  return object[key];
}

const Json& array_member(const Json& object, const char* key, size_t max_size,
                         const std::string& path) {
  const Json& array = member(object, key, path);
  if (!array.is_array()) throw FileError(path, str("field '", key, "' is no list"));
  if (array.size() > max_size) {
    throw FileError(path, str("field '", key, "' has more than ", max_size, " items"));
  }
  return array;
}

int64_t count_member(const Json& object, const char* key, const std::string& path) {
  const Json& count = member(object, key, path);
  if (!count.is_number_integer() || count.get<double>() < 0 || count.get<double>() > 0x1p62) {
    throw FileError(path, str("field '", key, "' is no count"));
  }
  return count.get<int64_t>();
}

double time_member(const Json& object, const char* key, const std::string& path) {
  const double value = json_number(member(object, key, path), path);
  if (!std::isfinite(value) || value <= 0) {
    throw FileError(path, str("field '", key, "' is not a positive number"));
  }
  return value;
}

std::vector<double> read_time_bins(const Json& json, const std::string& path) {
  std::vector<double> bins;
  for (const Json& edge : array_member(json, "time_bins", kMaxBins + 1, path)) {
    bins.push_back(json_number(edge, path));
  }
  const bool is_ascending =
      std::is_sorted(bins.begin(), bins.end()) &&
      std::none_of(bins.begin(), bins.end(), [](double x) { return std::isnan(x); });
  if (bins.size() < 2 || !is_ascending || bins.front() != 0 ||
      bins.back() != std::numeric_limits<double>::infinity()) {
    throw FileError(path, "field 'time_bins' does not ascend from 0 to infinity");
  }
  return bins;
}

MotorTask::Entry read_entry(const Json& json, const std::string& path) {
  const Json& code = member(json, "code", path);
  if (!code.is_string()) throw FileError(path, "field 'code' is no text");
  MotorTask::Entry entry;
  entry.code = code.get<std::string>();
  if (json.contains("val_start")) {
    entry.numbers = NumberRange{json_number(json["val_start"], path),
                                json_number(member(json, "val_end", path), path)};
  }
  entry.rate = time_member(json, "rate", path);
  entry.n_censored = count_member(json, "n_censored", path);
  entry.n_events = count_member(json, "n_events", path);
  entry.mean_time = time_member(json, "mean_time", path);
  return entry;
}

}  // namespace

std::string TaskTarget::name() const {
  if (!numbers) return code;
  const bool has_start = !std::isinf(numbers->start);
  return str(code, has_start ? " [" : " (", numbers->start, ", ", numbers->end, ")");
}

MotorTask MotorTask::read(const std::string& path) {
  const Json json = parse_json(read_file(path, size_t{1} << 28), path);
  MotorTask task;
  task.time_bins = read_time_bins(json, path);
  for (const Json& entry : array_member(json, "tasks", kMaxTasks, path)) {
    task.tasks.push_back(read_entry(entry, path));
  }
  const int64_t size = count_member(json, "final_layer_size", path);
  if (size < 1 || size > kMaxLayerSize) {
    throw FileError(path, str("field 'final_layer_size' is not within 1 to ", kMaxLayerSize));
  }
  task.final_layer_size = static_cast<int32_t>(size);
  return task;
}

void MotorTask::write(const std::string& path) const {
  Json json;
  json["time_bins"] = Json::array();
  for (double edge : time_bins) json["time_bins"].push_back(json_double(edge));
  json["tasks"] = Json::array();
  for (const Entry& entry : tasks) {
    Json& task = json["tasks"].emplace_back(Json{{"code", entry.code},
                                                 {"rate", entry.rate},
                                                 {"n_censored", entry.n_censored},
                                                 {"n_events", entry.n_events},
                                                 {"mean_time", entry.mean_time}});
    if (!entry.numbers) continue;
    task["val_start"] = json_double(entry.numbers->start);
    task["val_end"] = json_double(entry.numbers->end);
  }
  json["final_layer_size"] = final_layer_size;
  write_file(path, json_text(json) + "\n");
}

}  // namespace sequela
