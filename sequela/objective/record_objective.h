#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/io/time_column.h"
#include "sequela/meds/event_store.h"
#include "sequela/objective/named_objective.h"
#include "sequela/tokenizer/sequence/visits.h"
#include "sequela/train/train_options.h"
#include "sequela/train/trainable.h"

namespace sequela {

// A word of a few: `words` is "a|b|c", as help shows them. set() throws ConfigError for another.
struct WordOption {
  const char* words;
  const char* fallback;
  std::function<void(const std::string&)> set;
};

// An option that an objective holds and a command parses: --name. The last two kinds have one
// meaning in all commands, which know their names and help.
struct RecordOption {
  const char* name;
  const char* help;
  std::variant<bool*, int64_t*, double*, WordOption, VisitOptions*, ZoneRule*> value;
};

// Who learns from what; known when the records are read.
struct RecordData {
  int64_t vocab_size = 0;
  int64_t num_train_tokens = 0, num_validation_tokens = 0;
  int64_t num_left_out = 0;  // subjects without a birth or a visit
  std::vector<int64_t> train_subjects, validation_subjects;
  int64_t split_seed = 0;
  double val_fraction = 0;
};

// What of a run is not the objective's.
struct RecordTrainingRun {
  uint64_t seed = 42;
  Precision precision = Precision::fp32;
  at::Device device = at::kCPU;
};

// An encoder that is trained on records which were read.
class RecordTraining {
 public:
  virtual ~RecordTraining() = default;
  virtual const RecordData& data() const = 0;
  virtual Trainable& start(const RecordTrainingRun& run) = 0;  // once: fresh weights
  // Writes the encoder's files after training; their names.
  virtual std::vector<std::string> write(const std::string& folder) const = 0;
};

// The options of one run, and what is made of them.
class RecordLearner {
 public:
  virtual ~RecordLearner() = default;
  // Options of this objective alone, under `group()`, in the order of help.
  virtual std::vector<RecordOption> options() = 0;
  virtual const char* group() const = 0;
  // Options of every objective that this one has defaults of its own for: "layers", "hidden", ...
  virtual std::vector<RecordOption> shared_options() = 0;
  virtual void set_defaults(TrainOptions& train) const = 0;

  virtual void validate() const = 0;  // ConfigError
  virtual ZoneRule zone_rule() const = 0;
  virtual std::vector<std::string> text_properties() const = 0;  // IngestOptions::text_properties
  virtual Json parameters() const = 0;  // all that determines the output, by the options' names
  // Copies what it needs of the records. DataError.
  virtual std::unique_ptr<RecordTraining> read(const EventStore& store) const = 0;
};

// What is learned from records as they are, without prepare, by an encoder of its own.
class RecordObjective : public NamedObjective {
 public:
  virtual std::unique_ptr<RecordLearner> learner() const = 0;  // with the defaults
};

}  // namespace sequela
