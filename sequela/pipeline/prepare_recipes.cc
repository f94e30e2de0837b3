#include "sequela/pipeline/prepare_recipes.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "sequela/meds/dataset.h"
#include "sequela/objective/registry.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/pipeline/stage_options.h"

namespace sequela {

PrepareRecipes::PrepareRecipes(const PrepareOptions& options, const Manifest& manifest,
                               Fingerprints& fingerprints)
    : options_(options),
      objective_(find_objective(options.objective)),
      manifest_(manifest),
      fingerprints_(fingerprints),
      athena_(fingerprints.of_files(ontology_files(options.athena))) {
  codes_parquet_ = find_dataset(options.meds).codes_path.value_or("");
  std::vector<InputFile> data;
  for (InputFile& file : dataset_files(options.meds)) {
    if (!file.name.starts_with("metadata/")) {
      data.push_back(std::move(file));
    } else if (file.name == "metadata/codes.parquet") {
      metadata_ = fingerprints.of_files({file});
    }
  }
  data_ = fingerprints.of_files(data);
}

RunRecipe PrepareRecipes::start(const char* artifact) const {
  RunRecipe recipe;
  recipe.command = "prepare";
  recipe.artifact = artifact;
  recipe.outputs = {artifact};
  return recipe;
}

void PrepareRecipes::add_reading(RunRecipe& recipe) const {
  recipe.set("properties", options_.properties);
  recipe.set("repair", options_.repair);
  recipe.set("time-zone", zone_rule_name(options_.zone_rule));
  recipe.inputs["meds"] = data_;
}

RunRecipe PrepareRecipes::events() const {
  RunRecipe recipe = start(kEventsName);
  recipe.outputs.clear();  // they go when the run is done
  add_reading(recipe);
  return recipe;
}

RunRecipe PrepareRecipes::ontology() const {
  RunRecipe recipe = start(kOntologyName);
  recipe.set("remove-vocabularies", options_.remove_vocabularies);
  recipe.set("repair", options_.repair);
  recipe.set("time-zone", zone_rule_name(options_.zone_rule));
  recipe.inputs["meds"] = data_;
  if (!metadata_.empty()) recipe.inputs["metadata"] = metadata_;
  if (!athena_.empty()) recipe.inputs["athena"] = athena_;
  return recipe;
}

RunRecipe PrepareRecipes::split() const {
  RunRecipe recipe = start(kSplitName);
  if (!options_.split.empty()) {
    add_input("split", single_file(options_.split), fingerprints_, recipe);
    return recipe;
  }
  recipe.set("split-seed", options_.split_seed);
  recipe.set("val-fraction", options_.val_fraction);
  recipe.inputs["meds"] = data_;
  return recipe;
}

RunRecipe PrepareRecipes::dictionary() const {
  RunRecipe recipe = start(kDictionaryName);
  add_artifact(kOntologyName, recipe);  // of a dictionary that was given: for its report
  if (!options_.dictionary.empty()) {
    add_input("dictionary", single_file(options_.dictionary), fingerprints_, recipe);
    return recipe;
  }
  const bool is_train_only = options_.tokenizer_on == TokenizerSubjects::train;
  recipe.set("vocab-size", options_.vocab_size);
  recipe.set("num-numeric", options_.num_numeric);
  recipe.set("bins-per-code", options_.bins_per_code);
  recipe.set("min-fraction", options_.min_fraction);
  recipe.set("tokenizer-on", is_train_only ? "train" : "all");
  add_reading(recipe);
  if (is_train_only) add_artifact(kSplitName, recipe);
  return recipe;
}

RunRecipe PrepareRecipes::task() const {
  RunRecipe recipe = start(objective_.task_file());
  if (!options_.task_file.empty()) {
    add_input("task-file", single_file(options_.task_file), fingerprints_, recipe);
    return recipe;
  }
  recipe.set_all(task_values(options_));
  add_reading(recipe);
  for (const char* name : {kOntologyName, kSplitName, kDictionaryName}) add_artifact(name, recipe);
  return recipe;
}

RunRecipe PrepareRecipes::whole() const {
  RunRecipe whole = start(kCoverageName);
  const RunRecipe parts[] = {ontology(), split(), dictionary(), task(), batches(kTrainBatchesName)};
  for (const RunRecipe& part : parts) {
    whole.parameters.insert(part.parameters.begin(), part.parameters.end());
    for (const char* input : {"meds", "metadata", "athena", "split", "dictionary", "task-file"}) {
      const auto found = part.inputs.find(input);
      if (found != part.inputs.end()) whole.inputs.insert(*found);
    }
  }
  return whole;
}

RunRecipe PrepareRecipes::batches(const char* name) const {
  RunRecipe recipe = start(name);
  recipe.set("tokens-per-batch", options_.tokens_per_batch);
  if (objective_.keeps_share_of_labels()) recipe.set("label-fraction", options_.label_fraction);
  recipe.set("batch-format", options_.batch_format == BatchForm::femr ? "femr" : "compact");
  recipe.set("femr-compatible", options_.is_femr_compatible);
  add_reading(recipe);
  for (const char* part : {kOntologyName, kSplitName, kDictionaryName, objective_.task_file()})
    add_artifact(part, recipe);
  return recipe;
}

}  // namespace sequela
