#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sequela/batch/folder.h"
#include "sequela/batch/target_rule.h"
#include "sequela/core/json.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/split.h"
#include "sequela/model/motor.h"
#include "sequela/objective/named_objective.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/vocabulary.h"
#include "sequela/train/trainable.h"

namespace sequela {

// A whole number that an objective asks for in `prepare`: the option --name, Python's keyword name
// with '_'.
struct ObjectiveOption {
  const char* name;
  const char* help;
  int64_t fallback;  // if it is not given
  int64_t min, max;
};

// The records that targets are made of.
struct ObjectiveRecords {
  const EventStore& store;
  const Ontology& ontology;
  const Vocabulary& vocabulary;
  const EventTokenizer& tokenizer;
  const std::vector<Side>& sides;  // by subject index
};

// What a pretraining run gives its objective. The run outlives what is made of it.
struct ObjectiveRun {
  Motor& model;  // with the head that add_head() asked for
  const BatchFolder& train_batches;
  const BatchFolder& validation_batches;
  std::string task_path;
  std::string work_folder;  // files that help may lie there: the objective's are named by notes()
  std::string data_key;     // fingerprint of the prepared data
  std::string truth;        // truth/ of made-up records, as far as the objective has a use for it
  int num_threads = 1;
  int64_t tokens_per_pass = 0;  // where has_parts(): computed at once; 0 = a batch as it is
};

// What pretraining teaches the backbone, from what prepare made. Its name is task_type in femr's
// config.json, too.
class Objective : public NamedObjective {
 public:
  // In prepare. The task is what the targets need beside records and dictionary, a JSON file.
  virtual const char* task_file() const = 0;
  virtual std::vector<ObjectiveOption> options() const { return {}; }
  virtual bool takes_flat_dictionary() const { return false; }
  virtual bool keeps_share_of_labels() const { return false; }  // label_fraction of batches
  // Learns the task from the train side, under the options' values by name, and writes it.
  virtual void fit(const ObjectiveRecords& records, const Json& values, int num_threads,
                   const std::string& task_path) const = 0;
  // What coverage.json says of it. FileError.
  virtual Json describe(const std::string& task_path) const = 0;
  // Copies what it needs of the records.
  virtual std::unique_ptr<TargetRule> targets(const ObjectiveRecords& records,
                                              const std::string& task_path) const = 0;

  // In pretrain.
  virtual bool has_use_for_truth() const { return false; }  // ObjectiveRun::truth
  // Whether it computes a batch in parts of whole sequences when it is told to.
  virtual bool has_parts() const { return false; }
  virtual void add_head(const std::string& task_path, ModelConfig& config) const = 0;
  virtual std::unique_ptr<Trainable> training(const ObjectiveRun& run) const = 0;
  // Names in work_folder that are of no use when the run is done.
  virtual std::vector<std::string> notes() const { return {}; }
};

}  // namespace sequela
