#include "sequela/objective/mlm/mlm_encoder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

// Tokens of codes that carry values, as CehrBertConfig.lab_token_ids has them.
std::vector<int64_t> lab_token_ids(const CehrTokenizer& tokenizer) {
  std::vector<int64_t> ids;
  for (const LabStats& stats : tokenizer.lab_stats()) {
    const auto id = tokenizer.vocabulary().find_id(stats.concept_id);
    if (id && std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  }
  return ids;
}

BertConfig build_config(const MlmOptions& options, const CehrTokenizer& tokenizer) {
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
  for (size_t i = 1; i < files.size(); ++i) std::filesystem::remove(folder + "/" + files[i]);
  const CodeVocabulary& vocabulary = tokenizer.vocabulary();
  vocabulary.write_json(folder + "/vocab.json");
  std::string lines;
  for (int32_t id = 0; id < vocabulary.size(); ++id) lines += str(vocabulary.code(id), "\n");
  write_file(folder + "/vocab.txt", lines);
  return {"tokenizer.json", "vocab.json", "vocab.txt"};
}

}  // namespace

MlmEncoder::MlmEncoder(MlmData data, MlmOptions options)
    : options_(std::move(options)),
      data_(std::move(data)),
      config_(build_config(options_, data_.tokenizer)) {
  facts_.vocab_size = config_.vocab_size;
  facts_.num_train_tokens = data_.train.size();
  facts_.num_validation_tokens = data_.validation.size();
  facts_.num_left_out = data_.num_left_out;
  facts_.train_subjects = data_.train_subjects;
  facts_.validation_subjects = data_.validation_subjects;
  facts_.split_seed = options_.data.split_seed;
  facts_.val_fraction = options_.data.val_fraction;
}

Trainable& MlmEncoder::start(const RecordTrainingRun& run) {
  MlmTrainingOptions mlm = options_.mlm;
  mlm.seed = run.seed;
  mlm.precision = run.precision;
  mlm.device = run.device;
  return training_.emplace(config_, random_bert_weights(config_, run.seed), data_.tokenizer,
                           &data_.train, &data_.validation, mlm);
}

std::vector<std::string> MlmEncoder::write(const std::string& folder) const {
  SEQUELA_CHECK(training_.has_value());
  write_bert_files(folder, config_, training_->weights());
  std::vector<std::string> files = write_tokenizer(folder, config_.kind, data_.tokenizer);
  files.insert(files.begin(), {"config.json", "model.safetensors"});
  return files;
}

}  // namespace sequela
