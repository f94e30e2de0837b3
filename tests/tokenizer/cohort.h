#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/random.h"
#include "sequela/io/csv.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"
#include "sequela/meds/split.h"
#include "sequela/ontology/ontology.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"

namespace sequela {

using Parents = std::map<std::string, std::vector<std::string>>;

// What the tokenizer and the task are fitted from. All subjects are on the train side unless said.
struct Cohort {
  std::unique_ptr<TestFolder> folder;
  EventStore store;
  Ontology ontology;
  std::vector<Side> sides;
};

inline Ontology ontology_of(const EventStore& store, Parents parents) {
  for (const std::string& code : store.codes()) parents[code];
  std::vector<Ontology::Node> nodes;
  for (auto& [code, codes] : parents) nodes.push_back({.code = code, .parents = codes});
  return Ontology::build(std::move(nodes));
}

inline Cohort cohort_of_meds(const std::string& meds, const Parents& parents = {}) {
  auto folder = std::make_unique<TestFolder>();
  IngestOptions options;
  options.meds = meds;
  options.folder = *folder / "store";
  ingest(options);
  EventStore store = EventStore::open(options.folder);
  Ontology ontology = ontology_of(store, parents);
  std::vector<Side> sides(store.num_subjects(), Side::train);
  return {std::move(folder), std::move(store), std::move(ontology), std::move(sides)};
}

// A cohort of the reference, with its own ontology and split.
inline Cohort parity_cohort(const std::string& name, const std::string& meds) {
  const std::string path = reference_path("motor/" + name + "/ontology_parents.json");
  const Json json = parse_json(read_file(path), path);
  Parents parents;
  for (const auto& [code, codes] : json["parents"].items()) {
    parents[code] = codes.get<std::vector<std::string>>();
  }
  Cohort cohort = cohort_of_meds(meds, parents);
  cohort.sides.assign(cohort.store.num_subjects(), Side::none);
  CsvReader split(reference_path("motor/" + name + "/split.csv"), ',', CsvQuoting::none);
  split.for_each_row([&](std::span<const std::string_view> fields, int64_t) {
    const auto subject = cohort.store.find_subject(std::stoll(std::string(fields[0])));
    if (!subject) return;
    cohort.sides[*subject] = fields[1] == "train" ? Side::train : Side::validation;
  });
  return cohort;
}

// With what sizes the reference's dictionary, task and batches of a cohort were asked for.
inline Json parity_settings(const std::string& name) {
  const std::string path = reference_path("motor/" + name + "/info.json");
  return parse_json(read_file(path), path);
}

inline Cohort g60() {
  return parity_cohort("g60", reference_path("motor/g60/meds"));
}
inline Cohort tutorial() {
  return parity_cohort("tutorial", tutorial_path("meds"));
}

struct TestEvent {
  int64_t subject = 0;
  std::optional<double> day;  // since 1970; none = static
  std::string code;
  std::optional<float> number = std::nullopt;
  std::optional<std::string> text = std::nullopt;
};

// A cohort of hand-made events, ordered by subject and time.
inline Cohort cohort_of_events(const std::vector<TestEvent>& events, const Parents& parents = {}) {
  std::vector<int64_t> subjects, times;
  std::vector<std::string> codes, texts;
  std::vector<float> numbers;
  std::vector<uint8_t> has_time, has_number, has_text;
  for (const TestEvent& event : events) {
    subjects.push_back(event.subject);
    times.push_back(static_cast<int64_t>(event.day.value_or(0) * kMicrosPerDay));
    has_time.push_back(event.day.has_value());
    codes.push_back(event.code);
    numbers.push_back(event.number.value_or(0));
    has_number.push_back(event.number.has_value());
    texts.push_back(event.text.value_or(""));
    has_text.push_back(event.text.has_value());
  }
  TestFolder meds;
  std::filesystem::create_directories(meds / "data");
  write_parquet(meds / "data/0.parquet", {{"subject_id", subjects, {}},
                                          {"time", times, has_time, true},
                                          {"code", codes, {}},
                                          {"numeric_value", numbers, has_number},
                                          {"text_value", texts, has_text}});
  return cohort_of_meds(meds / "", parents);
}

// Made-up records of more than one of the store's chunks, so that threads share the work: 1,500
// subjects of 400 events, a fifth of them with a number, some with a text.
inline Cohort cohort_of_chunks() {
  std::vector<TestEvent> events;
  for (int64_t subject = 0; subject < 1'500; ++subject) {
    Random random(hash_key(17, static_cast<uint64_t>(subject)));
    double day = 100 * random.uniform();
    events.push_back({subject, day, "MEDS_BIRTH"});
    for (int i = 1; i < 400; ++i) {
      day += random.uniform() < 0.5 ? 0 : 20 * random.uniform();
      TestEvent event = {subject, day, str("code ", random.below(60))};
      const double kind = random.uniform();
      if (kind < 0.2) event.number = static_cast<float>(random.normal());
      if (kind > 0.95) event.text = str("text ", random.below(20));
      events.push_back(event);
    }
  }
  Cohort cohort = cohort_of_events(events, {{"code 1", {"code 2"}}, {"code 2", {"code 3"}}});
  EXPECT_GE(cohort.store.chunks().size(), 3u);
  return cohort;
}

}  // namespace sequela
