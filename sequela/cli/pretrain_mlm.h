#pragma once

#include <string>

#include "sequela/cli/command.h"
#include "sequela/cli/training_options.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/pretrain_mlm.h"

namespace sequela {

// What `sequela pretrain --objective mlm` takes besides the options of every objective.
struct MlmArguments {
  PretrainMlmOptions options;
  std::string encoder = "cehr_bert";
  std::string time_tokens = "cehr_bert";
  std::string visits = "hybrid";
  std::string time_zone = "utc";
};

void add_mlm_options(CLI::App& app, MlmArguments& arguments);

// Of the shared options (`shared`, parsed from `app`), those that were given count; the rest have
// this objective's own defaults. ConfigError for an option of another objective.
int run_pretrain_mlm(const CLI::App& app, const CommonOptions& common,
                     const PretrainOptions& shared, const TrainingArguments& training,
                     MlmArguments& arguments);

// ConfigError if an option of masked language modelling was given.
void refuse_mlm_options(const CLI::App& app);

}  // namespace sequela
