#pragma once

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/parquet.h"
#include "sequela/label/labeler.h"
#include "sequela/label/subject_scan.h"
#include "sequela/label/task_file.h"
#include "tests/support/test_folder.h"

namespace sequela {

// An event in hours after 2020-01-01; without hours it has no time.
struct TestEvent {
  int64_t subject_id = 0;
  std::optional<double> hours;
  std::string code;
  std::optional<float> value = std::nullopt;
  std::string ward = "";  // a further column
};

inline constexpr int64_t kTestEpochUs = 18'262 * kMicrosPerDay;
inline constexpr int64_t kMicrosPerHour = 3'600 * kMicrosPerSecond;

inline void write_events(const std::string& path, const std::vector<TestEvent>& events) {
  std::vector<int64_t> ids, times;
  std::vector<std::string> codes, wards;
  std::vector<float> values;
  std::vector<uint8_t> has_time, has_value;
  for (const TestEvent& event : events) {
    ids.push_back(event.subject_id);
    times.push_back(kTestEpochUs + std::llround(event.hours.value_or(0) * kMicrosPerHour));
    has_time.push_back(event.hours.has_value());
    codes.push_back(event.code);
    values.push_back(event.value.value_or(0));
    has_value.push_back(event.value.has_value());
    wards.push_back(event.ward);
  }
  write_parquet(path, {{"subject_id", ids, {}},
                       {"time", times, has_time, true},
                       {"code", codes, {}},
                       {"numeric_value", values, has_value},
                       {"ward", wards, {}}});
}

inline std::string hours_text(const std::optional<int64_t>& time_us) {
  if (!time_us) return "null";
  return str(static_cast<double>(*time_us - kTestEpochUs) / kMicrosPerHour);
}

// "1 at 24: true"
inline std::string label_text(const LabelRow& row) {
  std::string text = str(row.subject_id, " at ", hours_text(row.prediction_time_us), ":");
  if (row.boolean) text += *row.boolean ? " true" : " false";
  if (row.integer) text += str(" ", *row.integer);
  if (row.number) text += str(" ", *row.number);
  if (row.category) text += " " + *row.category;
  return text;
}

// What a task makes of events.
struct LabelResult {
  std::vector<std::string> labels;
  std::unique_ptr<Plan> plan;
  std::unique_ptr<CohortCounts> counts;
};

inline LabelResult label_events(const std::vector<TestEvent>& events, const std::string& yaml,
                                AcesMode mode = AcesMode::documented,
                                const Descendants& descendants = {}) {
  const TestFolder folder;
  const std::string path = folder.path() + "/0.parquet";
  write_events(path, events);
  LabelResult result;
  result.plan = std::make_unique<Plan>(make_plan(parse_task({"task.yaml", yaml}), mode));
  result.counts = std::make_unique<CohortCounts>(*result.plan);
  const ColumnRules rules(*result.plan);
  CodeMatcher matcher(*result.plan, descendants);
  SubjectRows rows(*result.plan, rules, matcher);
  Labeler labeler(*result.plan, matcher);
  std::vector<LabelRow> labels;
  scan_shard(path, {rules, &matcher}, [&](const SubjectRecord& record) {
    rows.load(record);
    labeler.label(rows, &labels, result.counts.get());
  });
  for (const LabelRow& row : labels) result.labels.push_back(label_text(row));
  return result;
}

// The labels alone.
inline std::vector<std::string> labels_of(const std::vector<TestEvent>& events,
                                          const std::string& yaml,
                                          AcesMode mode = AcesMode::documented,
                                          const Descendants& descendants = {}) {
  return label_events(events, yaml, mode, descendants).labels;
}

using Texts = std::vector<std::string>;

}  // namespace sequela
