#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sequela/cli/command.h"
#include "sequela/cli/training_options.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/pretrain_records.h"

namespace sequela {

// What `sequela pretrain` parses for one of the objectives that learn from records as they are.
struct RecordArguments {
  const RecordObjective* objective = nullptr;
  std::unique_ptr<RecordLearner> learner;
  std::map<std::string, std::string> words;  // as given, by their options' names
};

// Adds the options of all of them.
std::vector<RecordArguments> add_record_options(CLI::App& app);

// Of the shared options (`shared`, parsed from `app`), those that were given count; the rest have
// this objective's own defaults. ConfigError for an option of another objective.
int run_pretrain_records(const CLI::App& app, const CommonOptions& common,
                         const PretrainOptions& shared, const TrainingArguments& training,
                         RecordArguments& arguments);

// ConfigError if an option of one of these objectives was given.
void refuse_record_options(const CLI::App& app, const std::vector<RecordArguments>& all);

}  // namespace sequela
