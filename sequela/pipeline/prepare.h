#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sequela/batch/write_batches.h"
#include "sequela/meds/ingest.h"
#include "sequela/meds/split.h"
#include "sequela/ontology/build_ontology.h"

namespace sequela {

enum class TokenizerSubjects { all, train };

// The least that any command may be told to stay under.
inline constexpr int64_t kMinMemoryBytes = int64_t{256} << 20;

// All options of `sequela prepare`. Defaults: the published recipe.
struct PrepareOptions {
  std::string objective = "motor";  // what pretraining is to learn (objective/registry.h)
  // Numbers of the objective's own, by their names; those that are not here have its defaults.
  // MOTOR's stand below.
  std::map<std::string, int64_t> objective_values;

  std::string meds;    // MEDS data set or meds_reader database; path or URI
  std::string athena;  // an Athena download: folder or zip; empty = none
  std::string out;     // folder of the artifacts (pretraining_files)

  // The user's own artifacts in place of those that would be made; empty = make them.
  std::string split;       // split.csv, femr's form
  std::string dictionary;  // dictionary.msgpack
  std::string task_file;   // the objective's own, such as motor_task.json

  std::vector<std::string> remove_vocabularies = {"SPL", "HemOnc"};
  std::vector<std::string> properties = {"numeric_value", "text_value"};  // or {"all"}

  int64_t split_seed = kSplitSeed;
  double val_fraction = 0.1;

  int32_t vocab_size = 16'384;
  int32_t num_numeric = 1'000;
  int32_t bins_per_code = 0;  // of a code's own numbers, beside the shared bins; 0 = none
  double min_fraction = 1e-4;
  TokenizerSubjects tokenizer_on = TokenizerSubjects::all;

  int32_t num_tasks = 8'192;
  int32_t num_value_tasks = 0;  // of numbers: outer bins of codes; needs bins_per_code
  int32_t num_bins = 8;
  int32_t final_layer_size = 512;
  double task_min_fraction = 1e-3;

  int32_t tokens_per_batch = 8'192;
  double label_fraction = kLabelFraction;  // of a window's tokens, of which labels are kept
  BatchForm batch_format = BatchForm::compact;
  bool is_femr_compatible = false;  // token 0's timestamp as femr writes it

  ZoneRule zone_rule = ZoneRule::utc;  // of event times that have a zone
  bool repair = false;                 // sort rows and gather split subjects, instead of failing
  bool keep_events =
      false;  // keep the decoded events, <out>/.events, for a faster run with other options
  // One of num_ranks processes that make the folder together, at the same time or one after
  // another; each takes what no other one has. 0 ranks: those of this process's world.
  int rank = 0;
  int num_ranks = 0;
  int num_threads = 1;
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

// What one step of the run did; for the terminal.
struct PrepareStage {
  std::string name;
  std::string reason;  // why it ran; empty = its artifact was there already
  double seconds = 0;
  int64_t num_events = 0;  // worked through; 0 = does not apply
};

struct PrepareReport {
  std::vector<PrepareStage> stages;
  std::vector<std::string>
      coverage;  // lines of text: what the data holds, what was kept, what skipped
  double seconds = 0;
  bool is_up_to_date = false;  // nothing had to be done
};

// Turns a data set into everything that pretraining reads (docs/formats.md), in options.out:
//
//   ontology/ontology.parquet  split.csv  tokenizer/dictionary.msgpack  motor_task.json
//   train_batches/  val_batches/  coverage.json  manifest.json
//
// in place of motor_task.json the file of another objective. A folder is prepared for one objective
// at a time.
//
// Each artifact appears when it is complete and is noted in the manifest. A later run makes only
// what is missing, damaged, or depends on a changed input or option, and says so; after a kill at
// any moment it goes on and ends with the same bytes, whatever the number of threads. While it
// works, decoded events lie in <out>/.events (16 to 24 bytes an event); they are removed at the end
// unless keep_events is set, since decoding them again takes a sixth of a whole run.
//
// Several ranks share out the decoding and the batches through files in `out`, which all see; one
// of them makes what comes between. What a rank that was lost left undone, the others do. All must
// have the same options and data: ConfigError, naming the difference.
//
// Throws ConfigError (options; another run at work in the folder), DataError (input; no subject can
// be used), FileError, ResourceError, Interrupted.
PrepareReport prepare(const PrepareOptions& options);

}  // namespace sequela
