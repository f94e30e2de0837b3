#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sequela/encoders/bert/bert_config.h"
#include "sequela/encoders/bert/mlm_training.h"
#include "sequela/io/time_column.h"
#include "sequela/pipeline/mlm_data.h"
#include "sequela/train/trainer.h"

namespace sequela {

// All options of `sequela pretrain --objective mlm`. Defaults of the model: the cehrbert package's
// runner; of the optimizer: BERT's (arXiv:1810.04805).
struct PretrainMlmOptions {
  PretrainMlmOptions();

  std::string meds;                    // MEDS data set or meds_reader database
  ZoneRule zone_rule = ZoneRule::utc;  // of its times that have a zone
  std::string out;                     // checkpoints and logs
  std::string model;                   // where the encoder's folder goes
  // Kind and sizes. vocab_size is taken from the data, max_position_embeddings from `mlm`,
  // include_value_prediction from `data`.
  BertConfig encoder;
  MlmDataOptions data;
  MlmTrainingOptions mlm;              // its seed and precision are set from below
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

struct PretrainMlmReport {
  TrainReport train;
  int64_t num_parameters = 0;
  int64_t vocab_size = 0;
  int64_t num_train_subjects = 0;
  int64_t num_validation_subjects = 0;
  int64_t num_left_out = 0;    // subjects without a birth or a visit
  bool is_up_to_date = false;  // the folder was there already; nothing was done
};

// Pretrains an encoder of the BERT family on a MEDS data set by masked language modelling and
// writes its folder, which transformers or the cehrbert package load: config.json,
// model.safetensors, tokenizer.json, and
//
//   cehr_bert  cehrbert_lab_stats.json, concept_name_mapping.json
//   bert       vocab.json, vocab.txt
//
// and manifest.json. Both kinds learn from the same sequences (cehr_records.h); BERT sees their
// codes alone. Goes on from the newest checkpoint in `out`, with the same weights as an
// uninterrupted run. After a stop signal the report's train.is_finished is false and no folder is
// written.
PretrainMlmReport pretrain_mlm(const PretrainMlmOptions& options);

}  // namespace sequela
