#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "tests/support/reference.h"

namespace sequela {

using MetricCases = std::map<std::string, Json>;

// Cases of tests/reference/make_metrics.py, by name.
inline MetricCases read_metric_cases(const std::string& file) {
  const std::string path = reference_path("metrics/" + file);
  return parse_json(read_file(path), path).get<MetricCases>();
}

template <class T>
std::vector<T> numbers_of(const Json& list) {
  return list.get<std::vector<T>>();
}

// Empty if each row counts once.
inline std::vector<double> weights_of(const Json& one) {
  return one.contains("weights") ? numbers_of<double>(one["weights"]) : std::vector<double>();
}

// How far our numbers may lie from the peers'.
inline constexpr double kPeerTolerance = 1e-6;

}  // namespace sequela
