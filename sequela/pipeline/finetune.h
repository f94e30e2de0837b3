#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "sequela/io/time_column.h"
#include "sequela/meds/split.h"
#include "sequela/model/motor.h"
#include "sequela/pipeline/device.h"
#include "sequela/pipeline/finetuning/classifier_start.h"
#include "sequela/pipeline/finetuning/classifier_training.h"
#include "sequela/train/trainer.h"

namespace sequela {

// What picks the best checkpoint: the lowest validation loss, or the highest validation AUROC.
enum class FinetuneSelection { loss, auroc };
FinetuneSelection to_finetune_selection(const std::string& text);  // ConfigError
const char* to_text(FinetuneSelection select);

// All options of `sequela finetune`.
struct FinetuneOptions {
  FinetuneOptions();

  std::string meds;      // MEDS data set or meds_reader database
  std::string model;     // the bundle to start from; without `labels` a fine-tuned one
  std::string ontology;  // Parquet with code and parents; overrides the bundle's own
  std::string athena;    // Athena download, for bundles without an ontology
  // To learn from (MEDS label schema, boolean_value; also 0 or 1 as a number). Empty: `model`
  // predicts as it is.
  std::string labels;
  std::string task;  // a name for them; empty = that of the file
  // subject_id and split (train, tuning, held_out), as MEDS's subject_splits.parquet: which side a
  // subject's labels are on. Empty, or without tuning: a share of the subjects validates.
  std::string splits;
  double val_fraction = 0.2;  // of subjects, by split.h's rule; 0 = the last weights are the best
  // With no smaller share than prepare's, what validated there does so here.
  int64_t split_seed = kSplitSeed;
  std::string out;          // where the bundle goes
  std::string checkpoints;  // folder of checkpoints and logs; empty = <out>_output

  std::string predict;      // labels to predict; empty = the held_out ones of `labels`
  std::string predictions;  // Parquet in meds-evaluation's schema; empty = none are made

  Tuning tune = Tuning::all;
  int64_t lora_rank = 8;  // of Tuning::lora
  ClassifierStart start = ClassifierStart::probe;
  FinetuneSelection select = FinetuneSelection::loss;
  TrainOptions train;                  // folder is set to `checkpoints`; eval_every 0 = each epoch
  int64_t tokens_per_batch = 8'192;    // and a label's history, as in FeaturesOptions
  std::optional<Precision> precision;  // default: fp32 on a CPU, bf16 on CUDA
  Activations activations = Activations::kept;
  std::string device = "auto";
  Kernels kernels = Kernels::automatic;  // pipeline/device.h
  std::string kernel_cache;              // folder of the kernels' checks; empty: none is kept
  uint64_t seed = 42;                    // of the order of batches, and of low-rank factors
  bool keep_output = false;              // keep checkpoints and logs after the bundle is written
  ZoneRule zone_rule = ZoneRule::utc;
  int num_threads = 1;
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

struct FinetuneReport {
  TrainReport train;
  int64_t num_train = 0, num_validation = 0;  // labels
  double prevalence = 0;                      // of the outcome among the training labels
  int64_t num_predicted = 0;
  std::array<int64_t, 4> num_skipped = {};  // labels to predict without a history, by LabelState
  double auroc = 0;                         // of the predictions; NaN if an outcome is not known
  bool is_up_to_date = false;               // the bundle was there already
};

// Fine-tunes a MOTOR (or CLMBR) bundle on binary labels and predicts others (docs/design.md,
// section 10.1). A label reads the state that `sequela features` reads.
//
// The bundle: config.json, model.safetensors (with classifier.weight and classifier.bias),
// dictionary.msgpack, ontology.parquet if `model` has one, and manifest.json, whose "finetune"
// names the task and its prevalence. The pretraining head is left out where the backbone has
// changed. Goes on from the newest checkpoint, to the weights of an uninterrupted run; after a stop
// signal train.is_finished is false, and neither bundle nor predictions are written.
//
// The predictions, a row a label in the labels' order: subject_id, prediction_time, boolean_value
// (null if not known), predicted_boolean_value (probability >= 1/2), predicted_boolean_probability.
// A label without a history (LabelState) has no row.
//
// DataError: a label to learn from without a boolean_value, or one outcome alone. FileError: no
// classifier in a bundle that is to predict.
FinetuneReport finetune(const FinetuneOptions& options);

}  // namespace sequela
