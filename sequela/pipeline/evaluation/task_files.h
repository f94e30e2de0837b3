#pragma once

#include <string>
#include <vector>

#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/evaluation/inputs.h"
#include "sequela/pipeline/evaluation/method.h"
#include "sequela/run/fingerprints.h"

namespace sequela {

// A name as a part of a path: other characters than letters, digits, '.', '-' become '_'.
std::string to_file_name(const std::string& name);

// The tasks' names and labels, of --labels and --task, whose labels are made in
// <out>/labels/<task>. ConfigError for two of one name.
std::vector<NamedFile> find_task_files(const EvaluateMethodsOptions& options);

// What an evaluation is made of.
RunRecipe methods_recipe(const EvaluateMethodsOptions& options, Fingerprints& fingerprints);

// What a method's predictions of a task are made of; the artifact is their file.
RunRecipe prediction_recipe(const EvaluateMethodsOptions& options, const RunRecipe& evaluation,
                            const LabelTask& task, const NamedFile& file, const Method& method,
                            Fingerprints& fingerprints);

}  // namespace sequela
