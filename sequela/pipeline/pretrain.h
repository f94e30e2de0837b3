#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/features/embedder.h"
#include "sequela/model/encoder_config.h"
#include "sequela/pipeline/device.h"
#include "sequela/train/recipe.h"
#include "sequela/train/trainer.h"

namespace sequela {

// What picks the best checkpoint: the lowest validation loss, or the highest mean AUROC of the
// probes.
enum class Selection { loss, probe };
Selection to_selection(const std::string& text);  // ConfigError

// A number, or "auto": none. ConfigError.
std::optional<int64_t> to_tokens_per_pass(const std::string& text);

// All options of `sequela pretrain`. Defaults: femr's recipe; train/recipe.h has others.
struct PretrainOptions {
  std::string objective;               // objective/registry.h; empty = what `data` was prepared for
  std::string data;                    // what prepare made (pretraining_files)
  std::string out;                     // checkpoints and logs (pretraining_output)
  std::string model;                   // where the bundle goes
  EncoderConfig encoder;               // vocab_size is taken from the dictionary
  TrainOptions train;                  // folder is set to `out`
  double embedding_std = 1;            // standard deviation of fresh embeddings of tokens
  std::optional<Precision> precision;  // default: fastest_precision()
  // recomputed: the same weights with about half the memory, in a quarter more time.
  Activations activations = Activations::kept;
  // Tokens computed at once; a batch with more is computed in parts, with the same result but for
  // the order of sums. Default: as many as a GPU's free memory takes (train/memory_plan.h); on the
  // CPU all.
  std::optional<int64_t> tokens_per_pass;
  std::string device = "auto";           // auto | cpu | cuda | cuda:N
  Kernels kernels = Kernels::automatic;  // pipeline/device.h
  std::string kernel_cache;              // folder of the kernels' checks; empty: none is kept
  uint64_t seed = 42;                    // of fresh weights and of the order of batches
  bool keep_output = false;  // keep checkpoints, logs and final/ after the bundle is written

  // Measured at each evaluation beside the loss (pipeline/yardsticks/label_probe.h).
  std::vector<std::string> probes;   // labels.parquet files
  std::string meds;                  // the records of their subjects
  int64_t probe_labels = 2'000;      // of a file, on either side, at the most
  bool with_recall = false;          // also "recall of history", at the labels of the probes
  ReadOut read_out = ReadOut::last;  // of the probes
  Selection select = Selection::loss;
  // truth/ of records that synth made: the share of the truth's gain
  // (objective/motor/truth_yardstick.h).
  std::string truth;

  int64_t memory_bytes = int64_t{1} << 30;  // while the records of the probes are read
  int num_threads = 0;                      // 0 = all
  std::string fingerprint_cache;            // folder (run/fingerprint_cache.h); empty = none

  void validate() const;  // ConfigError
};

struct PretrainReport {
  TrainReport train;
  int64_t num_parameters = 0;
  bool is_up_to_date = false;  // the bundle was there already; nothing was done
};

// Trains a model on prepared batches, by the objective that they were made for, and writes the
// bundle: config.json, model.safetensors, dictionary.msgpack, ontology.parquet, manifest.json,
// README.md (the model card), and, where prepare made a split.csv, subjects.filter, which answers
// whether a subject was pretrained on (meds/subject_sets.h). Goes on from the newest checkpoint in
// `out`. metrics.json in `out` stays: what each evaluation told (pipeline/yardsticks,
// docs/formats.md). After a stop signal the report's train.is_finished is false and no bundle is
// written.
PretrainReport pretrain(const PretrainOptions& options);

// The memory that a rank of such a run takes, on 1 to 64 ranks, as lines of a table; no device is
// touched and nothing is written. Of `available_bytes` it says how large a batch may be.
std::vector<std::string> plan_pretraining(const PretrainOptions& options, int64_t available_bytes);

// Sets all numbers that the recipe decides.
void apply_recipe(Recipe recipe, PretrainOptions& options);
// Gives `options` the shape, learning rate and accumulation of a size (train/recipe.h).
void apply_size(const std::string& size, PretrainOptions& options);
// The model of an encoder (but for what the vocabulary decides) with the head that a folder of
// prepare() asks for. A flat dictionary makes it one of femr 0.2.3, the last that has those:
// attention in all layers, the normalized age for time.
ModelConfig read_prepared_config(const EncoderConfig& encoder, const std::string& data);

// Gives a fresh model's embeddings of tokens (deviation 1) another deviation.
void scale_embeddings(double deviation, Motor& model);

// Parts of a pretraining run of any objective: what the bundle's manifest says of the training, and
// taking away checkpoints, logs and final/ of a finished run.
Json training_summary(const TrainReport& report);
void remove_training_output(const std::string& folder);

}  // namespace sequela
