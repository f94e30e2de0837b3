#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sequela/core/log.h"
#include "sequela/io/file.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"

namespace sequela {

// One event as the store hands it out, in words.
struct PlainEvent {
  int64_t subject_id = 0;
  int64_t birth_us = 0;
  int64_t time_us = 0;
  std::string code;
  std::vector<std::string> values;  // by property: "", "text x" or "number <bits>"

  bool operator==(const PlainEvent&) const = default;
};

inline std::vector<PlainEvent> read_all_events(const EventStore& store) {
  std::vector<PlainEvent> events;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    const Subject subject = store.subject(s);
    for (int64_t i = 0; i < subject.num_events; ++i) {
      PlainEvent event{subject.id, subject.birth_us, subject.time_us(i),
                       store.codes()[subject.code(i)]};
      for (size_t p = 0; p < subject.properties.size(); ++p) {
        const PropertyValues values = subject.properties[p];
        std::string text;
        if (const auto number = values.number(i)) {
          text = "number " + std::to_string(__builtin_bit_cast(uint32_t, *number));
        } else if (values.text(i) >= 0) {
          text = "text " + std::string(store.properties()[p].texts[values.text(i)]);
        }
        EXPECT_EQ(values.has_value(i), !text.empty());
        event.values.push_back(text);
      }
      events.push_back(std::move(event));
    }
  }
  return events;
}

// Ingests a data set and reads it back.
inline std::vector<PlainEvent> ingest_and_read(const std::string& meds, IngestOptions options = {},
                                               IngestReport* report = nullptr) {
  TestFolder folder;
  options.meds = meds;
  options.folder = folder.path();
  const IngestReport found = ingest(options);
  if (report != nullptr) *report = found;
  return read_all_events(EventStore::open(folder.path()));
}

// The bytes of all files of a folder, by name.
inline std::map<std::string, std::string> read_files(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files[entry.path().filename().string()] = read_file(entry.path().string());
  }
  return files;
}

// Collects what is logged while it lives.
class LogLines {
 public:
  LogLines() {
    set_log_sink([this](LogLevel, const std::string& line) { lines_.push_back(line); });
  }
  ~LogLines() { set_log_sink(nullptr); }
  int64_t count(const std::string& part) const {
    return std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

 private:
  std::vector<std::string> lines_;
};

}  // namespace sequela
