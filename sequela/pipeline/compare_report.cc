#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/evaluation/text_table.h"
#include "sequela/pipeline/compare.h"

namespace sequela {
namespace {

const char* name_of(CompareMethod method) {
  return kCompareMethodNames[static_cast<size_t>(method)];
}

// The spread of the seeds, each of which has its own training labels and start.
std::string range_text(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  char text[64];
  std::snprintf(text, sizeof text, "%.3f-%.3f", *low, *high);
  return text;
}

// What is not defined is a bare word, as Python reads it.
Json worded_interval_json(const Interval& interval) {
  return {{"value", json_double(interval.value)},
          {"low", json_double(interval.low)},
          {"high", json_double(interval.high)}};
}

Json test_json(const PairedTest& test) {
  Json json = worded_interval_json(test.difference);
  json["p_value"] = json_double(test.p_value);
  return json;
}

}  // namespace

std::string CompareReport::text() const {
  char head[256];
  std::snprintf(head, sizeof head,
                "%lld train, %lld tuning, %lld held-out labels (%lld true); the vocabulary knows "
                "%.1f %% of the events\n\n",
                static_cast<long long>(num_train), static_cast<long long>(num_validation),
                static_cast<long long>(num_test), static_cast<long long>(num_test_positive),
                100 * coverage);
  std::vector<std::vector<std::string>> rows;
  for (const CompareResult& result : results) {
    rows.push_back({name_of(result.method), str(result.num_labels), to_text(result.auroc),
                    to_text(result.average_precision), range_text(result.auroc_by_seed)});
  }
  std::string text =
      head + format_text_table(
                 {"method", "labels", "AUROC (95 %)", "AUPRC (95 %)", "AUROC of the seeds"}, rows);
  rows.clear();
  for (const CompareDifference& row : differences) {
    rows.push_back({str(name_of(row.first), " - ", name_of(row.second)), str(row.num_labels),
                    signed_text(row.auroc.difference), p_text(row.auroc.p_value),
                    signed_text(row.average_precision.difference),
                    p_text(row.average_precision.p_value)});
  }
  return text + "\n" +
         format_text_table({"difference", "labels", "AUROC (95 %)", "p", "AUPRC (95 %)", "p"},
                           rows);
}

std::string CompareReport::to_json() const {
  Json json = {{"num_train", num_train},
               {"num_validation", num_validation},
               {"num_test", num_test},
               {"num_test_positive", num_test_positive},
               {"coverage", json_double(coverage)},
               {"seconds", json_double(seconds)},
               {"results", Json::array()},
               {"differences", Json::array()}};
  for (const CompareResult& result : results) {
    json["results"].push_back(
        {{"method", name_of(result.method)},
         {"num_labels", result.num_labels},
         {"auroc", worded_interval_json(result.auroc)},
         {"average_precision", worded_interval_json(result.average_precision)},
         {"auroc_by_seed", result.auroc_by_seed}});
  }
  for (const CompareDifference& row : differences) {
    json["differences"].push_back({{"first", name_of(row.first)},
                                   {"second", name_of(row.second)},
                                   {"num_labels", row.num_labels},
                                   {"auroc", test_json(row.auroc)},
                                   {"average_precision", test_json(row.average_precision)}});
  }
  return json_text(json) + "\n";
}

}  // namespace sequela
