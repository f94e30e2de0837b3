#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/core/time.h"
#include "sequela/io/parquet.h"

namespace sequela {

// Subjects with events of 40 codes over three years of their own, and one label each, whose outcome
// nothing tells. Tests plant what they look for.
struct MadeUpCohort {
  struct Event {
    int64_t subject;
    int64_t time_us;
    std::string code;
    float value = 0;
    bool has_value = false;
  };
  struct LabelRow {
    int64_t subject;
    int64_t time_us;
    bool outcome;
    std::string split = {};  // of this label, in a file of splits by label
  };
  std::vector<Event> events;
  std::vector<LabelRow> labels;

  static constexpr int64_t kHour = 3'600 * kMicrosPerSecond;

  explicit MadeUpCohort(int64_t num_subjects = 300, uint64_t seed = 1) {
    for (int64_t subject = 1; subject <= num_subjects; ++subject) {
      Random random(hash_key(seed, subject));
      const int64_t birth_us = -static_cast<int64_t>(random.below(15'000)) * kMicrosPerDay;
      events.push_back({subject, birth_us, "MEDS_BIRTH"});
      events.push_back({subject, birth_us, random.below(2) == 0 ? "GENDER//F" : "GENDER//M"});
      const int64_t start_us = static_cast<int64_t>(10'000 + random.below(6'000)) * kMicrosPerDay;
      std::vector<int64_t> times;
      for (int i = 0; i < 30; ++i)
        times.push_back(start_us + static_cast<int64_t>(random.below(1'000 * 24)) * kHour +
                        kHour / 4);
      std::ranges::sort(times);
      for (const int64_t time_us : times)
        events.push_back({subject, time_us, "C/" + std::to_string(random.below(40))});
      labels.push_back({subject, times[10 + random.below(15)] + kHour / 2, random.below(5) < 2});
    }
  }

  const LabelRow& label_of(int64_t subject) const {
    return *std::ranges::find(labels, subject, &LabelRow::subject);
  }
  void add(int64_t subject, int64_t time_us, const std::string& code) {
    events.push_back({subject, time_us, code});
  }
  void add_value(int64_t subject, int64_t time_us, const std::string& code, float value) {
    events.push_back({subject, time_us, code, value, true});
  }

  static std::string split_of(int64_t subject) {
    return subject % 5 == 0 ? "held_out" : subject % 5 == 1 ? "tuning" : "train";
  }

  // A data set in `<folder>/meds`, labels in `<folder>/labels.parquet`, and where labels have a
  // split of their own `<folder>/splits.parquet`.
  void write(const std::string& folder) {
    for (const char* part : {"/meds/data", "/meds/metadata"})
      std::filesystem::create_directories(folder + part);
    std::ranges::stable_sort(
        events, {}, [](const Event& event) { return std::tuple(event.subject, event.time_us); });
    write_events(folder + "/meds/data/0.parquet");
    std::vector<int64_t> subjects, times, all;
    std::vector<std::string> names, splits;
    std::vector<uint8_t> outcomes;
    for (const LabelRow& label : labels) {
      subjects.push_back(label.subject);
      times.push_back(label.time_us);
      outcomes.push_back(label.outcome);
      splits.push_back(label.split);
    }
    write_parquet(folder + "/labels.parquet",
                  {{.name = "subject_id", .values = subjects},
                   {.name = "prediction_time", .values = times, .is_timestamp = true},
                   {.name = "boolean_value", .values = outcomes}});
    if (!labels.front().split.empty()) {
      write_parquet(folder + "/splits.parquet",
                    {{.name = "subject_id", .values = subjects},
                     {.name = "prediction_time", .values = times, .is_timestamp = true},
                     {.name = "split", .values = splits}});
    }
    for (const Event& event : events) {
      if (all.empty() || all.back() != event.subject) all.push_back(event.subject);
    }
    for (const int64_t subject : all) names.push_back(split_of(subject));
    write_parquet(folder + "/meds/metadata/subject_splits.parquet",
                  {{.name = "subject_id", .values = all}, {.name = "split", .values = names}});
  }

 private:
  void write_events(const std::string& path) const {
    std::vector<int64_t> subjects, times;
    std::vector<std::string> codes;
    std::vector<float> values;
    std::vector<uint8_t> has_value;
    for (const Event& event : events) {
      subjects.push_back(event.subject);
      times.push_back(event.time_us);
      codes.push_back(event.code);
      values.push_back(event.value);
      has_value.push_back(event.has_value);
    }
    write_parquet(path, {{.name = "subject_id", .values = subjects},
                         {.name = "time", .values = times, .is_timestamp = true},
                         {.name = "code", .values = codes},
                         {.name = "numeric_value", .values = values, .valid = has_value}});
  }
};

}  // namespace sequela
