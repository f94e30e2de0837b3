#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sequela/objective/record_objective.h"
#include "sequela/train/trainer.h"

namespace sequela {

// The options of `sequela pretrain` on records, whatever is learned.
struct PretrainRecordsOptions {
  std::string meds;                    // MEDS data set or meds_reader database
  std::string out;                     // checkpoints and logs
  std::string model;                   // where the encoder's folder goes
  TrainOptions train;                  // folder is set to `out`
  std::optional<Precision> precision;  // default: bf16 where the machine is fast at it, else fp32
  std::string device = "auto";         // auto | cpu | cuda | cuda:N
  uint64_t seed = 42;                  // of fresh weights, batches, masks and dropout
  bool keep_output = false;
  int num_threads = 0;            // 0 = all
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

struct PretrainRecordsReport {
  TrainReport train;
  int64_t num_parameters = 0;
  int64_t vocab_size = 0;
  int64_t num_train_subjects = 0;
  int64_t num_validation_subjects = 0;
  int64_t num_left_out = 0;    // subjects without a birth or a visit
  bool is_up_to_date = false;  // the folder was there already; nothing was done
};

// Pretrains an encoder on a MEDS data set by an objective that takes records as they are
// (objective/record_objective.h), named `objective`, and writes its folder: the files that the
// objective names, subjects.filter, manifest.json and README.md (the model card). Goes on from the
// newest checkpoint in `out`, with the same weights as an uninterrupted run. After a stop signal
// the report's train.is_finished is false and no folder is written.
PretrainRecordsReport pretrain_records(const PretrainRecordsOptions& options,
                                       const std::string& objective, const RecordLearner& learner);

}  // namespace sequela
