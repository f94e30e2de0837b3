#include "sequela/pipeline/pretrain_records.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/io/file.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/device.h"
#include "sequela/pipeline/learned_subjects.h"
#include "sequela/pipeline/model_card.h"
#include "sequela/pipeline/model_facts.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

RunRecipe build_recipe(const PretrainRecordsOptions& options, const std::string& objective,
                       const RecordLearner& learner, Precision precision,
                       Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "pretrain " + objective;
  recipe.set_all(learner.parameters());
  recipe.set("precision", to_text(precision));
  recipe.set("seed", options.seed);
  recipe.set("time-zone", zone_rule_name(learner.zone_rule()));
  add_training(options.train, recipe);
  add_input("meds", dataset_files(options.meds), fingerprints, recipe);
  return recipe;
}

std::unique_ptr<RecordTraining> read_records(const PretrainRecordsOptions& options,
                                             const RecordLearner& learner) {
  const TemporaryStore temporary({.meds = options.meds,
                                  .text_properties = learner.text_properties(),
                                  .zone_rule = learner.zone_rule(),
                                  .num_threads = options.num_threads,
                                  .memory_bytes = options.memory_bytes},
                                 options.out);
  return learner.read(temporary.open());
}

void write_model(const PretrainRecordsOptions& options, RunRecipe recipe,
                 const RecordTraining& training, const TrainReport& report,
                 Fingerprints& fingerprints) {
  const RecordData& data = training.data();
  AtomicFolder folder(options.model);
  recipe.outputs = training.write(folder.partial_path());
  SubjectSets subjects(hash_split_rule(data.split_seed, data.val_fraction));
  subjects.set(kPretrainTrain, data.train_subjects);
  subjects.set(kPretrainValidation, data.validation_subjects);
  subjects.write(folder.partial_path() + "/" + SubjectSets::kFileName);
  recipe.outputs.emplace_back(SubjectSets::kFileName);
  Json summary = training_summary(report);
  summary.update(evaluation_facts(options.out));
  Manifest(folder.partial_path(), fingerprints).record(recipe, summary);
  write_model_card(folder.partial_path(), options.model);
  folder.commit();
}

}  // namespace

void PretrainRecordsOptions::validate() const {
  if (meds.empty()) throw ConfigError("meds", "", "a MEDS data set or meds_reader database");
  if (out.empty()) throw ConfigError("out", "", "a folder for checkpoints and logs");
  if (model.empty()) throw ConfigError("model", "", "a folder for the encoder");
  train.validate();
}

PretrainRecordsReport pretrain_records(const PretrainRecordsOptions& options,
                                       const std::string& objective, const RecordLearner& learner) {
  options.validate();
  learner.validate();
  const TorchThreads threads(options.num_threads);
  const at::Device device = to_device(options.device);
  const Precision precision = options.precision.value_or(fastest_precision(device));
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  const RunRecipe recipe = build_recipe(options, objective, learner, precision, fingerprints);
  PretrainRecordsReport report;
  report.is_up_to_date = Manifest(options.model, fingerprints).is_up_to_date(recipe);
  if (report.is_up_to_date) return report;
  const FolderLock lock(options.out);
  const std::unique_ptr<RecordTraining> training = read_records(options, learner);
  const RecordData& data = training->data();
  report.vocab_size = data.vocab_size;
  report.num_train_subjects = static_cast<int64_t>(data.train_subjects.size());
  report.num_validation_subjects = static_cast<int64_t>(data.validation_subjects.size());
  report.num_left_out = data.num_left_out;

  Trainable& model =
      training->start({.seed = options.seed, .precision = precision, .device = device});
  report.num_parameters = model.parameters().num_values();
  log_info(str(report.num_parameters, " parameters, ", data.vocab_size, " codes, ",
               data.num_train_tokens, " + ", data.num_validation_tokens, " tokens of ",
               report.num_train_subjects, " + ", report.num_validation_subjects, " subjects, on ",
               device.str()));
  log_precision(precision, device);

  TrainOptions train_options = options.train;
  train_options.name = "pretrain " + objective;
  train_options.folder = options.out;
  train_options.seed = options.seed;
  report.train = train(model, train_options, recipe.digest());
  if (!report.train.is_finished) return report;
  write_model(options, recipe, *training, report.train, fingerprints);
  if (!options.keep_output) remove_training_output(options.out);
  return report;
}

}  // namespace sequela
