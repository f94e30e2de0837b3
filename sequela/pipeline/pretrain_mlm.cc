#include "sequela/pipeline/pretrain_mlm.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/log.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/io/file.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/device.h"
#include "sequela/pipeline/learned_subjects.h"
#include "sequela/pipeline/model_card.h"
#include "sequela/pipeline/option_words.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

void add_data(const MlmDataOptions& data, RunRecipe& recipe) {
  const VisitOptions& visits = data.meds.visits;
  recipe.set("visits", name_of(visits.rule));
  recipe.set("encounter-column", visits.encounter_column);
  recipe.set("window-hours", visits.window_hours);
  recipe.set("time-tokens", name_of(data.records.time_tokens));
  recipe.set("inpatient-time-tokens", name_of(data.records.inpatient_time_tokens));
  recipe.set("visit-type", data.records.with_visit_type);
  recipe.set("demographics", data.records.with_demographics);
  recipe.set("vocab-size", data.vocabulary.max_size);
  recipe.set("min-frequency", data.vocabulary.min_frequency);
  recipe.set("values", data.with_values);
  recipe.set("split-seed", data.split_seed);
  recipe.set("val-fraction", data.val_fraction);
}

RunRecipe build_recipe(const PretrainMlmOptions& options, Precision precision,
                       Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "pretrain mlm";
  recipe.set_all(parse_json(options.encoder.to_json(), "config"));
  add_data(options.data, recipe);
  recipe.set("max-length", options.mlm.max_length);
  recipe.set("tokens-per-batch", options.mlm.batch_tokens);
  recipe.set("mask-probability", options.mlm.mask.probability);
  recipe.set("precision", to_text(precision));
  recipe.set("seed", options.seed);
  recipe.set("time-zone", zone_rule_name(options.zone_rule));
  add_training(options.train, recipe);
  add_input("meds", dataset_files(options.meds), fingerprints, recipe);
  return recipe;
}

MlmData read_data(const PretrainMlmOptions& options) {
  const CehrMedsOptions& meds = options.data.meds;
  std::vector<std::string> columns = encounter_columns(meds.visits);
  columns.insert(columns.end(), {meds.unit_column, meds.end_column});
  const TemporaryStore temporary({.meds = options.meds,
                                  .text_properties = columns,
                                  .zone_rule = options.zone_rule,
                                  .num_threads = options.num_threads,
                                  .memory_bytes = options.memory_bytes},
                                 options.out);
  return build_mlm_data(temporary.open(), options.data);
}

// Tokens of codes that carry values, as CehrBertConfig.lab_token_ids has them.
std::vector<int64_t> lab_token_ids(const CehrTokenizer& tokenizer) {
  std::vector<int64_t> ids;
  for (const LabStats& stats : tokenizer.lab_stats()) {
    const auto id = tokenizer.vocabulary().find_id(stats.concept_id);
    if (id && std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  }
  return ids;
}

BertConfig build_config(const PretrainMlmOptions& options, const CehrTokenizer& tokenizer) {
  BertConfig config = options.encoder;
  config.vocab_size = tokenizer.vocabulary().size();
  config.pad_token_id = tokenizer.pad();
  config.max_position_embeddings = options.mlm.max_length;
  config.mlm_probability = options.mlm.mask.probability;
  config.classifier_dropout = config.hidden_dropout_prob;
  if (config.kind == BertKind::cehr_bert) {
    config.cls_token_id = tokenizer.cls();
    config.include_value_prediction = options.data.with_values;
    config.lab_token_ids = lab_token_ids(tokenizer);
  }
  config.validate();
  return config;
}

// vocab.json and vocab.txt (a code a line) beside tokenizer.json.
std::vector<std::string> write_tokenizer(const std::string& folder, BertKind kind,
                                         const CehrTokenizer& tokenizer) {
  tokenizer.write(folder);
  std::vector<std::string> files = {"tokenizer.json", "cehrbert_lab_stats.json",
                                    "concept_name_mapping.json"};
  if (kind == BertKind::cehr_bert) return files;
  for (size_t i = 1; i < files.size(); ++i) fs::remove(folder + "/" + files[i]);
  const CodeVocabulary& vocabulary = tokenizer.vocabulary();
  vocabulary.write_json(folder + "/vocab.json");
  std::string lines;
  for (int32_t id = 0; id < vocabulary.size(); ++id) lines += str(vocabulary.code(id), "\n");
  write_file(folder + "/vocab.txt", lines);
  return {"tokenizer.json", "vocab.json", "vocab.txt"};
}

void write_model(const PretrainMlmOptions& options, RunRecipe recipe, const MlmTraining& model,
                 const BertConfig& config, const MlmData& data, const TrainReport& report,
                 Fingerprints& fingerprints) {
  AtomicFolder folder(options.model);
  write_bert_files(folder.partial_path(), config, model.weights());
  recipe.outputs = write_tokenizer(folder.partial_path(), config.kind, data.tokenizer);
  recipe.outputs.insert(recipe.outputs.begin(), {"config.json", "model.safetensors"});
  SubjectSets subjects(hash_split_rule(options.data.split_seed, options.data.val_fraction));
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

PretrainMlmOptions::PretrainMlmOptions() : encoder(BertConfig::defaults(BertKind::cehr_bert)) {
  encoder.num_hidden_layers = 6;
  train.name = "pretrain mlm";
  train.learning_rate = 1e-4;
  train.beta2 = 0.999;
  train.weight_decay = 0.01;
  train.accumulate = 1;
}

void PretrainMlmOptions::validate() const {
  if (meds.empty()) throw ConfigError("meds", "", "a MEDS data set or meds_reader database");
  if (out.empty()) throw ConfigError("out", "", "a folder for checkpoints and logs");
  if (model.empty()) throw ConfigError("model", "", "a folder for the encoder");
  if (encoder.kind == BertKind::bert && data.with_values) {
    throw ConfigError("values", "true", "false: plain BERT takes codes alone (or cehr_bert)");
  }
  encoder.validate();
  data.validate();
  mlm.validate();
  train.validate();
}

PretrainMlmReport pretrain_mlm(const PretrainMlmOptions& options) {
  options.validate();
  const TorchThreads threads(options.num_threads);
  const at::Device device = to_device(options.device);
  const Precision precision = options.precision.value_or(fastest_precision(device));
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  const RunRecipe recipe = build_recipe(options, precision, fingerprints);
  PretrainMlmReport report;
  report.is_up_to_date = Manifest(options.model, fingerprints).is_up_to_date(recipe);
  if (report.is_up_to_date) return report;
  const FolderLock lock(options.out);
  const MlmData data = read_data(options);
  report.num_train_subjects = data.train.num_sequences();
  report.num_validation_subjects = data.validation.num_sequences();
  report.num_left_out = data.num_left_out;

  const BertConfig config = build_config(options, data.tokenizer);
  report.vocab_size = config.vocab_size;
  MlmTrainingOptions mlm = options.mlm;
  mlm.seed = options.seed;
  mlm.precision = precision;
  mlm.device = device;
  MlmTraining model(config, random_bert_weights(config, options.seed), data.tokenizer, &data.train,
                    &data.validation, mlm);
  report.num_parameters = model.parameters().num_values();
  log_info(str(report.num_parameters, " parameters, ", config.vocab_size, " codes, ",
               data.train.size(), " + ", data.validation.size(), " tokens of ",
               report.num_train_subjects, " + ", report.num_validation_subjects, " subjects, on ",
               device.str()));
  log_precision(precision, device);

  TrainOptions train_options = options.train;
  train_options.folder = options.out;
  train_options.seed = options.seed;
  report.train = train(model, train_options, recipe.digest());
  if (!report.train.is_finished) return report;
  write_model(options, recipe, model, config, data, report.train, fingerprints);
  if (!options.keep_output) remove_training_output(options.out);
  return report;
}

}  // namespace sequela
