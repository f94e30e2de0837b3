#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sequela/features/embedder.h"
#include "sequela/model/motor.h"
#include "sequela/pipeline/device.h"
#include "sequela/pipeline/evaluate.h"

namespace sequela {

// What a leak that was found (pipeline/evaluation/leaks) leads to: a warning, an error, or it is
// not looked for.
enum class LeakRule : uint8_t { warn, fail, off };
LeakRule to_leak_rule(const std::string& text);  // ConfigError
const char* to_text(LeakRule rule);

// All options of `sequela evaluate --meds`. Of EvaluateOptions, `labels` are the tasks here
// ("TASK=FILE", or "FILE", whose task is the file's name without its ending), and a method of
// `predictions` that names no task is of the only one.
struct EvaluateMethodsOptions : EvaluateOptions {
  EvaluateMethodsOptions();

  std::string meds;                   // MEDS data set or meds_reader database
  std::vector<std::string> tasks;     // of `sequela label`: built-in names or YAML files
  std::string model;                  // a MOTOR bundle; empty = none
  std::vector<std::string> encoders;  // "NAME=FOLDER" or "FOLDER" of the BERT family
  // Words of pipeline/evaluation/methods.h; empty = all that need no training of a network and of
  // which all that they need is given.
  std::vector<std::string> methods;
  std::string splits;  // subject_id, split and perhaps prediction_time; empty = the data set's own
  std::string athena;  // Athena download or ontology.parquet; empty = the bundle's, codes.parquet
  // "TASK=CODE@DAYS", "TASK=CODE", "CODE@DAYS", "CODE": whose hazard answers a task, and up to when
  // (of times to an event: up to each horizon).
  std::vector<std::string> hazards;
  std::vector<double> horizons = {30, 90, 180, 365};  // days, of times to an event
  std::vector<std::string> subgroup_codes;            // whether a history has them makes subgroups
  ReadOut read_out = ReadOut::last_and_history;
  std::vector<int64_t> shots;  // labels of each outcome; the default is EHRSHOT's; empty = none
  int num_draws = 5;
  int64_t max_labels = 0;  // of a task and part; 0 = all
  LeakRule leaks = LeakRule::warn;

  std::optional<Precision> precision;  // default: fp32 on a CPU, bf16 on CUDA
  int64_t tokens_per_batch = 8'192;
  std::string device = "auto";
  Kernels kernels = Kernels::automatic;  // pipeline/device.h
  std::string kernel_cache;              // folder of the kernels' checks; empty: none is kept
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

// Fits methods on one split of one set of labels and evaluates them side by side, with predictions
// from outside if there are some. Writes into options.out what evaluate_predictions() writes,
// predictions/TASK/METHOD.parquet in meds-evaluation's schema, and with `tasks` labels/TASK; a
// manifest ties each to what it was made of, so that a run that was stopped goes on. The numbers
// are the same for any number of threads.
//
// A label sees the events up to its time, that time included. All methods predict all test labels:
// where one knows nothing of a history, it says the prevalence of its training labels.
EvaluateReport evaluate_methods(const EvaluateMethodsOptions& options);

}  // namespace sequela
