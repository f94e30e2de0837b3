#include "sequela/pipeline/pretrain_output.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/io/file.h"
#include "sequela/pipeline/learned_subjects.h"
#include "sequela/pipeline/model_card.h"
#include "sequela/pipeline/model_facts.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

void write_final(const std::string& folder, Motor& model) {
  AtomicFolder target(folder);
  write_file(target.partial_path() + "/config.json", to_config_json(model.config()));
  model.parameters().write(target.partial_path() + "/model.safetensors");
  target.commit();
}

void write_bundle(const PretrainOptions& options, RunRecipe recipe, Motor& model,
                  const TrainReport& report, Fingerprints& fingerprints) {
  AtomicFolder bundle(options.model);
  const std::string& partial = bundle.partial_path();
  write_file(partial + "/config.json", to_config_json(model.config()));
  model.parameters().write(partial + "/model.safetensors");
  fs::copy_file(options.data + "/tokenizer/dictionary.msgpack", partial + "/dictionary.msgpack");
  fs::copy_file(options.data + "/ontology/ontology.parquet", partial + "/ontology.parquet");
  if (write_prepared_subjects(options.data, partial))
    recipe.outputs.emplace_back(SubjectSets::kFileName);
  Json summary = training_summary(report);
  summary.update(prepared_facts(options.data));
  summary.update(evaluation_facts(options.out));
  Manifest(partial, fingerprints).record(recipe, summary);
  write_model_card(partial, options.model);
  bundle.commit();
}

}  // namespace

void write_pretrained(const PretrainOptions& options, const Objective& objective,
                      const RunRecipe& recipe, Motor& model, const TrainReport& report,
                      Fingerprints& fingerprints) {
  if (options.keep_output) write_final(options.out + "/final", model);
  write_bundle(options, recipe, model, report, fingerprints);
  for (const std::string& note : objective.notes()) fs::remove(options.out + "/" + note);
  if (!options.keep_output) remove_training_output(options.out);
}

Json training_summary(const TrainReport& report) {
  return {{"steps", report.steps},
          {"best_step", report.best_step},
          {"best_loss", json_double(report.best_loss)}};
}

void remove_training_output(const std::string& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == "runs" || name == "final" || name.starts_with("checkpoint-")) {
      fs::remove_all(entry.path());
    }
  }
}

}  // namespace sequela
