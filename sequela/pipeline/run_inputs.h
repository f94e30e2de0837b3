#pragma once

#include <string>
#include <vector>

#include "sequela/run/fingerprints.h"
#include "sequela/run/recipe.h"
#include "sequela/train/train_options.h"

namespace sequela {

// The files that commands read, for their recipes.

std::vector<InputFile> dataset_files(const std::string& meds);
std::vector<InputFile> label_files(const std::string& labels);
// Of a MOTOR bundle those that decide what it computes, as far as they are there.
std::vector<InputFile> bundle_files(const std::string& folder);
// Of an encoder's folder all but those below it.
std::vector<InputFile> encoder_files(const std::string& folder);
// Of an Athena download or an ontology in Parquet; none of an empty path.
std::vector<InputFile> ontology_files(const std::string& path);
// A file; none of an empty path.
std::vector<InputFile> single_file(const std::string& path);

// Adds an input to a recipe, unless it has no files.
void add_input(const std::string& name, const std::vector<InputFile>& files,
               Fingerprints& fingerprints, RunRecipe& recipe);

// Adds the training options that determine the weights.
void add_training(const TrainOptions& train, RunRecipe& recipe);

}  // namespace sequela
