#include "sequela/pipeline/prepare_recipes.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/sha256.h"
#include "sequela/io/file.h"
#include "sequela/meds/dataset.h"
#include "sequela/ontology/athena_files.h"

namespace sequela {

namespace {

// An option's value as text, numbers with all their digits.
template <class T>
std::string text(const T& value) {
  return Json(value).dump();
}

std::map<std::string, std::string> athena_fingerprints(const std::string& path) {
  if (path.empty()) return {};
  return AthenaFiles(path).fingerprints();
}

}  // namespace

PrepareRecipes::PrepareRecipes(const PrepareOptions& options, const Manifest& manifest)
    : options_(options), manifest_(manifest), athena_(athena_fingerprints(options.athena)) {
  const Dataset dataset = find_dataset(options.meds);
  codes_parquet_ = dataset.codes_path.value_or("");
  std::string data;
  for (const FileFingerprint& file : fingerprint_dataset(dataset)) {
    if (file.name.starts_with("metadata/")) {
      if (file.name == "metadata/codes.parquet") metadata_ = file.fingerprint;
    } else {
      data += str(file.name, " ", file.fingerprint, "\n");
    }
  }
  data_ = to_hex(sha256(data.data(), data.size()));
}

StageRecipe PrepareRecipes::events() const {
  return {kEventsName,
          {{"properties", text(options_.properties)},
           {"repair", text(options_.repair)},
           {"time-zone", zone_rule_name(options_.zone_rule)}},
          {{"meds", data_}}};
}

StageRecipe PrepareRecipes::ontology() const {
  std::map<std::string, std::string> inputs = athena_;
  inputs["meds"] = data_;
  inputs["metadata/codes.parquet"] = metadata_;
  return {kOntologyName,
          {{"remove-vocabularies", text(options_.remove_vocabularies)},
           {"repair", text(options_.repair)},
           {"time-zone", zone_rule_name(options_.zone_rule)}},
          inputs};
}

StageRecipe PrepareRecipes::split() const {
  if (!options_.split.empty()) {
    return {kSplitName, {}, {{"split", file_digest(options_.split)}}};
  }
  return {
      kSplitName,
      {{"split-seed", text(options_.split_seed)}, {"val-fraction", text(options_.val_fraction)}},
      {{"meds", data_}}};
}

StageRecipe PrepareRecipes::dictionary() const {
  if (!options_.dictionary.empty()) {
    return {kDictionaryName,
            {},
            {{"dictionary", file_digest(options_.dictionary)},
             {kOntologyName, checksum(kOntologyName)}}};  // for its report
  }
  const bool is_train_only = options_.tokenizer_on == TokenizerSubjects::train;
  StageRecipe recipe{kDictionaryName,
                     {{"vocab-size", text(options_.vocab_size)},
                      {"num-numeric", text(options_.num_numeric)},
                      {"bins-per-code", text(options_.bins_per_code)},
                      {"min-fraction", text(options_.min_fraction)},
                      {"tokenizer-on", is_train_only ? "train" : "all"},
                      {"properties", text(options_.properties)},
                      {"repair", text(options_.repair)},
                      {"time-zone", zone_rule_name(options_.zone_rule)}},
                     {{"meds", data_}, {kOntologyName, checksum(kOntologyName)}}};
  if (is_train_only) recipe.inputs[kSplitName] = checksum(kSplitName);
  return recipe;
}

StageRecipe PrepareRecipes::task() const {
  return {kTaskName,
          {{"num-tasks", text(options_.num_tasks)},
           {"value-tasks", text(options_.num_value_tasks)},
           {"num-bins", text(options_.num_bins)},
           {"final-layer-size", text(options_.final_layer_size)},
           {"task-min-fraction", text(options_.task_min_fraction)},
           {"properties", text(options_.properties)},
           {"repair", text(options_.repair)},
           {"time-zone", zone_rule_name(options_.zone_rule)}},
          {{"meds", data_},
           {kOntologyName, checksum(kOntologyName)},
           {kSplitName, checksum(kSplitName)},
           {kDictionaryName, checksum(kDictionaryName)}}};
}

StageRecipe PrepareRecipes::batches(const char* name) const {
  return {name,
          {{"tokens-per-batch", text(options_.tokens_per_batch)},
           {"label-fraction", text(options_.label_fraction)},
           {"batch-format", options_.batch_format == BatchForm::femr ? "femr" : "compact"},
           {"femr-compatible", text(options_.is_femr_compatible)},
           {"properties", text(options_.properties)},
           {"repair", text(options_.repair)},
           {"time-zone", zone_rule_name(options_.zone_rule)}},
          {{"meds", data_},
           {kOntologyName, checksum(kOntologyName)},
           {kSplitName, checksum(kSplitName)},
           {kDictionaryName, checksum(kDictionaryName)},
           {kTaskName, checksum(kTaskName)}}};
}

}  // namespace sequela
