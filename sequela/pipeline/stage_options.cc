#include "sequela/pipeline/stage_options.h"

namespace sequela {

IngestOptions ingest_options(const PrepareOptions& options, const std::string& folder) {
  IngestOptions wanted;
  wanted.meds = options.meds;
  wanted.folder = folder;
  wanted.properties = options.properties;
  wanted.repair = options.repair;
  wanted.num_threads = options.num_threads;
  wanted.memory_bytes = options.memory_bytes;
  return wanted;
}

TokenizerOptions tokenizer_options(const PrepareOptions& options) {
  TokenizerOptions wanted;
  wanted.vocab_size = options.vocab_size;
  wanted.num_numeric = options.num_numeric;
  wanted.min_fraction = options.min_fraction;
  wanted.fit_on_train_only = options.tokenizer_on == TokenizerSubjects::train;
  wanted.num_threads = options.num_threads;
  return wanted;
}

MotorTaskOptions task_options(const PrepareOptions& options) {
  MotorTaskOptions wanted;
  wanted.num_tasks = options.num_tasks;
  wanted.num_bins = options.num_bins;
  wanted.final_layer_size = options.final_layer_size;
  wanted.min_fraction = options.task_min_fraction;
  wanted.num_threads = options.num_threads;
  return wanted;
}

BatchOptions batch_options(const PrepareOptions& options) {
  BatchOptions wanted;
  wanted.tokens_per_batch = options.tokens_per_batch;
  wanted.form = options.batch_format;
  wanted.first_timestamp =
      options.is_femr_compatible ? FirstTimestamp::last_event : FirstTimestamp::birth;
  wanted.num_threads = options.num_threads;
  return wanted;
}

}  // namespace sequela
