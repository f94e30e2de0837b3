#pragma once

#include <string>

#include "sequela/cli/command.h"
#include "sequela/train/train_options.h"

namespace sequela {

// The options of a training run that every objective shares, as parsed.
struct TrainingArguments {
  TrainOptions train;
  std::string schedule, loss_scale, optimizer, gradients_as;  // the words of train's
};

// The defaults shown are those of arguments.train.
void add_training_options(CLI::App& app, TrainingArguments& arguments);

// Puts those that were given, by flag or file, in place of the defaults in `train`. ConfigError for
// a word that is none of the allowed ones.
void take_training_options(const CLI::App& app, const TrainingArguments& arguments,
                           TrainOptions* train);

// Puts an option's value in place of `value` if it was given.
template <class From, class To>
void take_option(const CLI::App& app, const char* name, const From& given, To* value) {
  if (app.get_option(name)->count() > 0) *value = given;
}

}  // namespace sequela
