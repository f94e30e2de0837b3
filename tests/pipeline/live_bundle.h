#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/pipeline/follow.h"
#include "sequela/pipeline/live/event_line.h"
#include "sequela/pipeline/live/shard_source.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"

namespace sequela {

// femr's model after a hundred training steps on the records of g60, as a bundle without an
// ontology of its own.
class LiveBundle {
 public:
  LiveBundle() {
    const std::string from = reference_path("motor/model_main/");
    copy(from + "config.json", "config.json");
    copy(from + "weights_after_100.safetensors", "model.safetensors");
    copy(reference_path("motor/g60/tokenizer/dictionary.msgpack"), "dictionary.msgpack");
  }

  static std::string meds() { return reference_path("motor/g60/meds"); }
  std::string path() const { return folder_.path(); }
  LiveOptions options() const {
    LiveOptions options;
    options.model = path();
    options.athena = reference_path("motor/g60/athena");
    options.codes = meds() + "/metadata/codes.parquet";
    return options;
  }

 private:
  void copy(const std::string& from, const std::string& name) const {
    std::filesystem::copy(from, folder_ / name);
  }
  TestFolder folder_;
};

// All events of a data set, in the order of its files.
inline std::vector<OwnedEvent> events_of(const std::string& meds) {
  GrowingShards source(meds, ZoneRule::utc, GrowingShards::End::when_all_are_read, {});
  std::vector<SourceItem> items;
  while (source.read(1'000, items)) {
  }
  std::vector<OwnedEvent> events;
  for (SourceItem& item : items) events.push_back(item.event);
  return events;
}

inline std::string lines_of(std::span<const OwnedEvent> events) {
  std::string lines;
  for (const OwnedEvent& event : events) lines += json_text(to_json(event), -1) + "\n";
  return lines;
}

// A file of lines, open for reading.
class LinesFile {
 public:
  explicit LinesFile(const std::string& lines) {
    std::ofstream(folder_ / "lines.jsonl") << lines;
    descriptor_ = open((folder_ / "lines.jsonl").c_str(), O_RDONLY);
  }
  ~LinesFile() { close(descriptor_); }
  LinesFile(const LinesFile&) = delete;
  LinesFile& operator=(const LinesFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  TestFolder folder_;
  int descriptor_ = -1;
};

// What `follow` answers to lines, also where it ends with an error.
struct Followed {
  std::string text;
  FollowReport report;
  std::string error;  // empty = none

  Followed(const std::string& lines, FollowOptions options) {
    const LinesFile file(lines);
    options.input = file.descriptor();
    run(options);
  }
  explicit Followed(const FollowOptions& options) { run(options); }

  std::vector<Json> answers() const {
    std::vector<Json> answers;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
      answers.push_back(parse_json(line, "answer"));
    return answers;
  }

 private:
  void run(const FollowOptions& options) {
    std::ostringstream out;
    try {
      report = follow(options, out);
    } catch (const Error& failure) {
      error = failure.what();
    }
    text = out.str();
  }
};

}  // namespace sequela
