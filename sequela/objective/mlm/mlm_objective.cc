#include "sequela/objective/mlm/mlm_objective.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/objective/mlm/mlm_encoder.h"

namespace sequela {
namespace {

BertKind to_bert_kind(const std::string& text) {
  if (text == "cehr_bert") return BertKind::cehr_bert;
  if (text == "bert") return BertKind::bert;
  throw ConfigError("encoder", text, "cehr_bert or bert");
}

}  // namespace

MlmOptions::MlmOptions() : encoder(BertConfig::defaults(BertKind::cehr_bert)) {
  encoder.num_hidden_layers = 6;
}

void MlmOptions::validate() const {
  if (encoder.kind == BertKind::bert && data.with_values) {
    throw ConfigError("values", "true", "false: plain BERT takes codes alone (or cehr_bert)");
  }
  encoder.validate();
  data.validate();
  mlm.validate();
}

std::vector<RecordOption> MlmLearner::options() {
  MlmOptions& own = options_;
  CehrRecordOptions& records = own.data.records;
  const auto set_kind = [&own](const std::string& text) { own.encoder.kind = to_bert_kind(text); };
  const auto set_time_tokens = [&records](const std::string& text) {
    records.time_tokens = parse_time_tokens(text, "time-tokens");
  };
  return {
      {"encoder", "cehr_bert takes ages, dates, visits and values; bert takes codes",
       WordOption{"cehr_bert|bert", "cehr_bert", set_kind}},
      {"max-length", "Tokens of a sequence, [CLS] counted", &own.mlm.max_length},
      {"vocab-size", "Codes at the most, special ones counted", &own.data.vocabulary.max_size},
      {"min-frequency", "Rarer codes are [OOV]", &own.data.vocabulary.min_frequency},
      {"values", "Take values of events in, and predict them", &own.data.with_values},
      {"time-tokens", "Between visits",
       WordOption{"cehr_bert|day|week|month|mix|none", "cehr_bert", set_time_tokens}},
      {"visit-type", "Tokens of visit types and discharge places", &records.with_visit_type},
      {"demographics", "Begin with year, age, gender and race", &records.with_demographics},
      {"visits", "", &own.data.meds.visits},
      {"time-zone", "", &own.zone_rule},
      {"split-seed", "Of the hash that splits subjects", &own.data.split_seed},
      {"val-fraction", "Share of subjects for validation", &own.data.val_fraction},
      {"tokens-per-batch", "Tokens of a batch", &own.mlm.batch_tokens},
      {"mask-probability", "Share of tokens to predict", &own.mlm.mask.probability},
      {"dropout", "Of hidden states", &own.encoder.hidden_dropout_prob},
      {"attention-dropout", "Of attention probabilities",
       &own.encoder.attention_probs_dropout_prob},
  };
}

std::vector<RecordOption> MlmLearner::shared_options() {
  BertConfig& encoder = options_.encoder;
  return {{"layers", "", &encoder.num_hidden_layers},
          {"hidden", "", &encoder.hidden_size},
          {"heads", "", &encoder.num_attention_heads},
          {"intermediate", "", &encoder.intermediate_size}};
}

void MlmLearner::set_defaults(TrainOptions& train) const {
  train.learning_rate = 1e-4;
  train.beta2 = 0.999;
  train.weight_decay = 0.01;
  train.accumulate = 1;
}

std::vector<std::string> MlmLearner::text_properties() const {
  const CehrMedsOptions& meds = options_.data.meds;
  std::vector<std::string> columns = encounter_columns(meds.visits);
  columns.insert(columns.end(), {meds.unit_column, meds.end_column});
  return columns;
}

Json MlmLearner::parameters() const {
  const MlmDataOptions& data = options_.data;
  const VisitOptions& visits = data.meds.visits;
  Json json = parse_json(options_.encoder.to_json(), "config");
  json["visits"] = name_of(visits.rule);
  json["encounter-column"] = visits.encounter_column;
  json["window-hours"] = visits.window_hours;
  json["time-tokens"] = name_of(data.records.time_tokens);
  json["inpatient-time-tokens"] = name_of(data.records.inpatient_time_tokens);
  json["visit-type"] = data.records.with_visit_type;
  json["demographics"] = data.records.with_demographics;
  json["vocab-size"] = data.vocabulary.max_size;
  json["min-frequency"] = data.vocabulary.min_frequency;
  json["values"] = data.with_values;
  json["split-seed"] = data.split_seed;
  json["val-fraction"] = data.val_fraction;
  json["max-length"] = options_.mlm.max_length;
  json["tokens-per-batch"] = options_.mlm.batch_tokens;
  json["mask-probability"] = options_.mlm.mask.probability;
  return json;
}

std::unique_ptr<RecordTraining> MlmLearner::read(const EventStore& store) const {
  return std::make_unique<MlmEncoder>(build_mlm_data(store, options_.data), options_);
}

}  // namespace sequela
