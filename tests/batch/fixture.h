#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sequela/batch/motor_targets.h"
#include "sequela/batch/write_batches.h"
#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"
#include "sequela/meds/split.h"
#include "sequela/ontology/ontology.h"
#include "sequela/task/motor_task.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/vocabulary.h"
#include "tests/support/reference.h"

namespace sequela {

// A folder of its own for the running test, empty.
inline std::string test_folder(const std::string& name) {
  const std::string folder = ::testing::TempDir() + "sequela_batch_" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

inline Ontology fixture_ontology(const std::string& path, const std::vector<std::string>& codes) {
  const Json parents = parse_json(read_file(path), path);
  std::set<std::string> missing(codes.begin(), codes.end());
  std::vector<Ontology::Node> nodes;
  for (const auto& [code, list] : parents.at("parents").items()) {
    nodes.push_back({code, "", list.get<std::vector<std::string>>()});
    missing.erase(code);
  }
  for (const std::string& code : missing) nodes.push_back({code});
  return Ontology::build(std::move(nodes));
}

inline std::vector<std::string> fixture_tasks(const std::string& path) {
  std::vector<std::string> codes;
  const Json task = parse_json(read_file(path), path);
  for (const Json& row : task.at("pretraining_task_info")) codes.push_back(row.at(0));
  return codes;
}

// All that batches are made of, from one of the reference's cohorts and its records.
struct MotorFixture {
  std::string folder;  // of the fixture
  std::string meds;
  EventStore store;
  Ontology ontology;
  Vocabulary vocabulary;
  EventTokenizer tokenizer;
  std::vector<std::string> task_codes;
  TasksOfCodes tasks;
  MotorTargetRule targets;
  std::vector<Side> sides;
  BatchSource source;

  MotorFixture(const std::string& name, const std::string& meds_path)
      : folder(reference_path("motor/" + name)),
        meds(meds_path),
        store(ingest_and_open(name, meds)),
        ontology(fixture_ontology(folder + "/ontology_parents.json", store.codes())),
        vocabulary(Vocabulary::read(folder + "/tokenizer/dictionary.msgpack")),
        tokenizer(store, ontology, vocabulary),
        task_codes(fixture_tasks(folder + "/motor_task.json")),
        tasks(tasks_of_codes(store, ontology, task_codes)),
        targets(tasks, static_cast<int32_t>(task_codes.size())),
        sides(Split::read(folder + "/split.csv").sides(store)),
        source{store, tokenizer, vocabulary.age_stats, targets, sides} {}

  static EventStore ingest_and_open(const std::string& name, const std::string& meds) {
    IngestOptions options;
    options.meds = meds;
    options.folder = test_folder("store_" + name);
    ingest(options);
    return EventStore::open(options.folder);
  }

  static std::unique_ptr<MotorFixture> open(const std::string& name) {
    return std::make_unique<MotorFixture>(
        name, name == "g60" ? reference_path("motor/g60/meds") : tutorial_path("meds"));
  }
};

}  // namespace sequela
