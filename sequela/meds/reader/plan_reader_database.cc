#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/meds/ingest_plan.h"
#include "sequela/meds/reader/reader_shard.h"

namespace sequela {
namespace {

// A shard is closed once it holds so many events: enough to be worth a file, few enough to spread.
constexpr int64_t kEventsPerShard = 4'000'000;
constexpr int64_t kDecoderBytes = int64_t{64} << 20;

struct Opened {
  Opened(const std::string& folder) : database(folder) {}
  ReaderDatabase database;
  std::unique_ptr<ReaderColumns> columns;
};

std::vector<PropertyCandidate> candidates_of(const ReaderDatabase& database) {
  std::vector<PropertyCandidate> candidates;
  for (const ReaderProperty& property : database.properties()) {
    if (property.name == "subject_id" || property.name == "time" || property.name == "code")
      continue;
    candidates.push_back(
        {property.name, is_string(property.type) || property.type == ReaderType::timestamp});
  }
  return candidates;
}

// A database gives its numbers as numbers, also where ids are asked for as texts.
std::vector<PropertyColumn> properties_of(const ReaderDatabase& database,
                                          const IngestOptions& options) {
  const std::vector<PropertyCandidate> candidates = candidates_of(database);
  std::vector<PropertyColumn> properties = choose_properties(candidates, options);
  for (PropertyColumn& property : properties) {
    property.is_text =
        std::ranges::find(candidates, property.name, &PropertyCandidate::name)->is_text;
  }
  return properties;
}

std::vector<ReaderRange> cut_into_shards(const ReaderDatabase& database) {
  std::vector<ReaderRange> ranges;
  for (int64_t position = 0; position < database.num_subjects(); ++position) {
    if (ranges.empty() || ranges.back().num_events >= kEventsPerShard) {
      ranges.push_back({.first_position = position});
    }
    ++ranges.back().num_subjects;
    ranges.back().num_events += database.num_events(position);
  }
  return ranges;
}

std::string fingerprint_of(const Dataset& dataset) {
  std::string text;
  for (const FileFingerprint& file : fingerprint_dataset(dataset)) {
    text += str(file.name, ' ', file.fingerprint, '\n');
  }
  return to_hex(sha256(text.data(), text.size()));
}

}  // namespace

IngestPlan plan_reader_database(const Dataset& dataset, const IngestOptions& options) {
  const auto opened = std::make_shared<Opened>(dataset.root);
  const ReaderDatabase& database = opened->database;
  IngestPlan plan{.properties = properties_of(database, options)};
  opened->columns = std::make_unique<ReaderColumns>(database, plan.properties);
  const std::string fingerprint = fingerprint_of(dataset);
  for (const ReaderRange& range : cut_into_shards(database)) {
    plan.num_events += range.num_events;
    plan.shards.push_back(
        {.path = dataset.root,
         .identity =
             str(fingerprint, " subjects ", range.first_position, " + ", range.num_subjects),
         .num_events = range.num_events,
         .memory_bytes = kDecoderBytes,
         .decode = [opened, range, properties = plan.properties](ShardBuilder* builder) {
           read_database_shard(opened->database, *opened->columns, properties, range, builder);
         }});
  }
  return plan;
}

}  // namespace sequela
