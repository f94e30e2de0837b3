#include "sequela/pipeline/model_facts.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/pipeline/prepare_recipes.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

// What decided the sides, from prepare's manifest.
std::string split_text(const Json& manifest) {
  const Json& recipe = field(field(field(manifest, "artifacts"), kSplitName), "recipe");
  const std::string fraction = text_field(field(recipe, "parameters"), "val-fraction");
  if (fraction.empty()) return recipe.is_object() ? "given by the user" : "";
  return str(fraction, " of the subjects validate, by a hash of the subject with seed ",
             text_field(field(recipe, "parameters"), "split-seed"));
}

void copy_count(const Json& from, const char* key, const char* name, Json& to) {
  if (field(from, key).is_number_integer()) to[name] = field(from, key);
}

// The figures of the best evaluation, but for those of single codes and files.
Json best_figures(const Json& metrics) {
  Json figures;
  for (const Json& entry : list_field(metrics, "evaluations")) {
    if (field(entry, "is_best") != true) continue;
    figures = Json::object();
    for (const auto& [key, value] : entry.items()) {
      const bool is_of_one = key.starts_with("eval/concordance/") || key.starts_with("eval/probe/");
      if (value.is_number() && !is_of_one) figures[key] = value;
    }
  }
  return figures;
}

}  // namespace

Json prepared_facts(const std::string& folder) {
  Json facts = Json::object();
  const Json coverage = read_run_file(folder, kCoverageName);
  Json counts = Json::object();
  copy_count(field(coverage, "events"), "subjects", "subjects", counts);
  copy_count(field(coverage, "events"), "events", "events", counts);
  copy_count(field(coverage, "ontology"), "codes", "codes", counts);
  copy_count(field(coverage, kTrainBatchesName), "windows", "train_subjects", counts);
  copy_count(field(coverage, kValBatchesName), "windows", "validation_subjects", counts);
  copy_count(field(coverage, kTrainBatchesName), "tokens", "train_tokens", counts);
  if (!counts.empty()) facts["data"] = std::move(counts);
  const std::string split = split_text(read_run_file(folder, "manifest.json"));
  if (!split.empty()) facts["split"] = split;
  return facts;
}

Json evaluation_facts(const std::string& folder) {
  Json facts = Json::object();
  Json figures = best_figures(read_run_file(folder, "metrics.json"));
  if (figures.is_object()) facts["evaluation"] = std::move(figures);
  return facts;
}

}  // namespace sequela
