#include "sequela/pipeline/run_inputs.h"

#include <algorithm>
#include <filesystem>

#include "sequela/io/uri.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/labels.h"
#include "sequela/ontology/athena_files.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBundleFiles[] = {"config.json", "model.safetensors", "dictionary.msgpack",
                                        "ontology.parquet"};

}  // namespace

std::vector<InputFile> dataset_files(const std::string& meds) {
  std::vector<InputFile> files;
  for (DatasetFile& file : list_dataset_files(find_dataset(meds)))
    files.push_back({std::move(file.name), std::move(file.path)});
  return files;
}

std::vector<InputFile> label_files(const std::string& labels) {
  std::vector<InputFile> files;
  for (const std::string& path : list_label_files(labels))
    files.push_back({path == labels ? "" : path_below(labels, path), path});
  return files;
}

std::vector<InputFile> bundle_files(const std::string& folder) {
  std::vector<InputFile> files;
  for (const char* name : kBundleFiles) {
    if (fs::exists(folder + "/" + name)) files.push_back({name, folder + "/" + name});
  }
  return files;
}

std::vector<InputFile> encoder_files(const std::string& folder) {
  std::vector<InputFile> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file())
      files.push_back({entry.path().filename().string(), entry.path().string()});
  }
  std::ranges::sort(files, {}, &InputFile::name);
  return files;
}

std::vector<InputFile> ontology_files(const std::string& path) {
  if (path.empty() || !is_athena_path(path)) return single_file(path);
  std::vector<InputFile> files;
  for (const auto& [table, file] : AthenaFiles(path).paths()) files.push_back({table, file});
  return files;
}

std::vector<InputFile> single_file(const std::string& path) {
  if (path.empty()) return {};
  return {{"", path}};
}

void add_input(const std::string& name, const std::vector<InputFile>& files,
               Fingerprints& fingerprints, RunRecipe& recipe) {
  if (!files.empty()) recipe.inputs[name] = fingerprints.of_files(files);
}

void add_training(const TrainOptions& train, RunRecipe& recipe) {
  recipe.set("learning-rate", train.learning_rate);
  recipe.set("schedule", to_text(train.schedule));
  recipe.set("loss-scale", to_text(train.loss_scale));
  recipe.set("optimizer", to_text(train.optimizer));
  recipe.set("muon-scale", train.muon_scale);
  recipe.set("muon-momentum", train.muon_momentum);
  recipe.set("beta1", train.beta1);
  recipe.set("beta2", train.beta2);
  recipe.set("epsilon", train.epsilon);
  recipe.set("weight-decay", train.weight_decay);
  recipe.set("max-gradient-norm", train.max_gradient_norm);
  recipe.set("warmup-steps", train.warmup_steps);
  recipe.set("epochs", train.epochs);
  recipe.set("max-steps", train.max_steps);
  recipe.set("accumulate", train.accumulate);
  recipe.set("lanes", train.lanes);
  recipe.set("gradients-as", to_text(train.gradients_as));
  recipe.set("eval-every", train.eval_every);
  recipe.set("patience", train.patience);
}

}  // namespace sequela
