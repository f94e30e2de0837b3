#include "sequela/report/json_fields.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/nan.h"
#include "sequela/core/number_text.h"
#include "sequela/io/file.h"

namespace sequela {

Json read_run_file(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  return std::filesystem::is_regular_file(path) ? parse_json(read_file(path), path) : Json();
}

const Json& field(const Json& json, const std::string& name) {
  static const Json null;
  if (!json.is_object()) return null;
  const auto found = json.find(name);
  return found == json.end() ? null : *found;
}

const Json& list_field(const Json& json, const std::string& name) {
  static const Json empty = Json::array();
  const Json& found = field(json, name);
  return found.is_array() ? found : empty;
}

double to_number(const Json& json) {
  return json.is_number() ? json.get<double>() : kNaN;
}

double number_field(const Json& json, const std::string& name) {
  return to_number(field(json, name));
}

int64_t count_field(const Json& json, const std::string& name) {
  const Json& found = field(json, name);
  return found.is_number_integer() ? found.get<int64_t>() : 0;
}

std::string text_field(const Json& json, const std::string& name) {
  const Json& found = field(json, name);
  return found.is_string() ? found.get<std::string>() : "";
}

int64_t outcome_count(const Json& counts) {
  const bool has_positive = field(counts, "num_positive").is_number();
  return count_field(counts, has_positive ? "num_positive" : "num_events");
}

Cell to_cell(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_boolean()) return std::string(json.get<bool>() ? "yes" : "no");
  if (json.is_string()) return json.get<std::string>();
  return json_text(json, -1);
}

Estimate to_estimate(const Json& interval) {
  return {number_field(interval, "value"), number_field(interval, "low"),
          number_field(interval, "high")};
}

std::string to_text(const Estimate& estimate) {
  if (std::isnan(estimate.value)) return "";
  char text[96];
  if (std::isnan(estimate.low) || std::isnan(estimate.high)) {
    std::snprintf(text, sizeof text, "%.3f", estimate.value);
  } else {
    std::snprintf(text, sizeof text, "%.3f (%.3f to %.3f)", estimate.value, estimate.low,
                  estimate.high);
  }
  return text;
}

std::string counted(int64_t count, const std::string& singular, const std::string& plural) {
  return str(with_thousands(count), " ", count == 1 ? singular : plural);
}

}  // namespace sequela
