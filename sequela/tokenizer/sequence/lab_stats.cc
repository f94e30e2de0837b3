#include "sequela/tokenizer/sequence/lab_stats.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

std::string text_of(const Json& row, const char* key, const std::string& path) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_string()) {
    throw FileError(path, str("an entry lacks the text '", key, "'"));
  }
  return found->get<std::string>();
}

double number_of(const Json& row, const char* key, const std::string& path) {
  const auto found = row.find(key);
  if (found == row.end()) throw FileError(path, str("an entry lacks the number '", key, "'"));
  return json_number(*found, path);
}

}  // namespace

double LabStats::normalise(double value) const {
  if (!(std > 0)) return 0;
  return std::max(-outlier_std, std::min(outlier_std, (value - mean) / std));
}

std::vector<LabStats> read_lab_stats(const std::string& path) {
  const Json root = parse_json(read_file(path), path);
  if (!root.is_array()) throw FileError(path, "this is not a list of statistics");
  std::vector<LabStats> out;
  for (const Json& row : root) {
    if (!row.is_object()) throw FileError(path, "an entry is not an object");
    LabStats stats;
    stats.concept_id = text_of(row, "concept_id", path);
    stats.unit = text_of(row, "unit", path);
    stats.mean = number_of(row, "mean", path);
    stats.std = number_of(row, "std", path);
    stats.outlier_std = number_of(row, "value_outlier_std", path);
    stats.count =
        row.contains("count") && row["count"].is_number_integer() ? row["count"].get<int64_t>() : 0;
    out.push_back(std::move(stats));
  }
  return out;
}

void write_lab_stats(const std::string& path, const std::vector<LabStats>& stats) {
  Json root = Json::array();
  for (const LabStats& row : stats) {
    root.push_back({{"concept_id", row.concept_id},
                    {"unit", row.unit},
                    {"mean", json_double(row.mean)},
                    {"std", json_double(row.std)},
                    {"count", row.count},
                    {"value_outlier_std", json_double(row.outlier_std)},
                    {"lower_bound", json_double(row.mean - row.outlier_std * row.std)},
                    {"upper_bound", json_double(row.mean + row.outlier_std * row.std)}});
  }
  write_file(path, json_text(root));
}

}  // namespace sequela
