#include "sequela/encoders/bert/bert_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr size_t kMaxBytes = size_t{16} << 20;

// Reads the keys of one config.json; a key that is missing or null leaves its field alone.
class Reader {
 public:
  explicit Reader(const std::string& path)
      : path_(path), json_(parse_json(read_file(path, kMaxBytes), path)) {
    if (!json_.is_object()) throw FileError(path, "is not a JSON object");
  }

  bool has(const char* key) const { return find(key) != nullptr; }

  void read(const char* key, int64_t& field) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number_integer()) throw wrong(key, *value, "a whole number");
    field = value->get<int64_t>();
  }
  void read(const char* key, double& field) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number()) throw wrong(key, *value, "a number");
    field = value->get<double>();
  }
  void read(const char* key, bool& field) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) throw wrong(key, *value, "true or false");
    field = value->get<bool>();
  }
  std::string text(const char* key) const {
    const Json* value = find(key);
    if (value == nullptr) return "";
    if (!value->is_string()) throw wrong(key, *value, "a text");
    return value->get<std::string>();
  }
  void read(const char* key, std::vector<int64_t>& field) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array()) throw wrong(key, *value, "a list of whole numbers");
    field.clear();
    for (const Json& item : *value) {
      if (!item.is_number_integer()) throw wrong(key, item, "a list of whole numbers");
      field.push_back(item.get<int64_t>());
    }
  }

 private:
  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  ConfigError wrong(const char* key, const Json& value, const char* allowed) const {
    return {str(path_, ": ", key), value.dump().substr(0, 40), allowed};
  }

  const std::string& path_;
  Json json_;
};

BertKind read_kind(const Reader& reader, const std::string& path) {
  const std::string type = reader.text("model_type");
  if (type == "bert") return BertKind::bert;
  if (type == "cehrbert") return BertKind::cehr_bert;
  if (!type.empty()) {
    throw ConfigError(str(path, ": model_type"), type, "bert or cehrbert (or none)");
  }
  return reader.has("n_time_embd") || reader.has("n_visit_segments") ? BertKind::cehr_bert
                                                                     : BertKind::bert;
}

// A decoder attends to what lies on the left only, and may attend to another sequence.
void refuse_decoder(const Reader& reader, const std::string& path) {
  for (const char* key : {"is_decoder", "add_cross_attention"}) {
    bool is_set = false;
    reader.read(key, is_set);
    if (!is_set) continue;
    throw ConfigError(str(path, ": ", key,
                          " is true: a decoder attends to the left only, while an ",
                          "encoder attends to both sides. Fix: give the folder of an encoder."));
  }
}

BertActivation to_activation(const std::string& name, const std::string& path) {
  if (name.empty() || name == "gelu") return BertActivation::gelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return BertActivation::gelu_tanh;
  if (name == "relu") return BertActivation::relu;
  throw ConfigError(str(path, ": hidden_act"), name, "gelu, gelu_new, gelu_pytorch_tanh or relu");
}

const char* activation_name(BertActivation activation) {
  switch (activation) {
    case BertActivation::gelu:
      return "gelu";
    case BertActivation::gelu_tanh:
      return "gelu_new";
    case BertActivation::relu:
      return "relu";
  }
  return "";
}

void check_positive(const char* key, int64_t value, int64_t max) {
  if (value < 1 || value > max) throw ConfigError(key, str(value), str("1 to ", max));
}

void check_probability(const char* key, double value) {
  if (!(value >= 0 && value < 1)) throw ConfigError(key, str(value), "0 to below 1");
}

void check_scale(const char* key, double value) {
  if (!(value > 0 && value < 1e30)) throw ConfigError(key, str(value), "above 0");
}

// The fields that are in the file under their own name, as they are: one list, to read and to
// write. `Config` is BertConfig, const or not.
template <class Config, class Visit>
void visit_fields(Config& config, const Visit& visit) {
  visit("vocab_size", config.vocab_size);
  visit("hidden_size", config.hidden_size);
  visit("num_hidden_layers", config.num_hidden_layers);
  visit("num_attention_heads", config.num_attention_heads);
  visit("intermediate_size", config.intermediate_size);
  visit("layer_norm_eps", config.layer_norm_eps);
  visit("max_position_embeddings", config.max_position_embeddings);
  visit("type_vocab_size", config.type_vocab_size);
  visit("pad_token_id", config.pad_token_id);
  visit("hidden_dropout_prob", config.hidden_dropout_prob);
  visit("attention_probs_dropout_prob", config.attention_probs_dropout_prob);
  visit("initializer_range", config.initializer_range);
  if (config.kind == BertKind::bert) return;
  visit("n_time_embd", config.n_time_embd);
  visit("n_visit_segments", config.n_visit_segments);
  visit("time_embedding_scaling_factor", config.time_embedding_scaling_factor);
  visit("age_embedding_scaling_factor", config.age_embedding_scaling_factor);
  visit("include_value_prediction", config.include_value_prediction);
  visit("bidirectional", config.bidirectional);
  visit("mlm_probability", config.mlm_probability);
  visit("lab_token_ids", config.lab_token_ids);
}

}  // namespace

int64_t BertConfig::num_positions() const {
  if (kind == BertKind::bert) return max_position_embeddings;
  return std::max(max_position_embeddings, sample_packing_max_positions);
}

BertConfig BertConfig::defaults(BertKind kind) {
  BertConfig config;
  if (kind == BertKind::bert) return config;
  config.kind = kind;
  config.vocab_size = 20'000;
  config.hidden_size = 128;
  config.num_attention_heads = 8;
  config.intermediate_size = 2'048;
  return config;
}

BertConfig BertConfig::read(const std::string& path, std::optional<BertKind> kind) {
  const Reader reader(path);
  BertConfig config = defaults(kind ? *kind : read_kind(reader, path));
  refuse_decoder(reader, path);
  const std::string positions = reader.text("position_embedding_type");
  if (!positions.empty() && positions != "absolute") {
    throw ConfigError(str(path, ": position_embedding_type"), positions, "absolute");
  }
  visit_fields(config, [&](const char* key, auto& field) { reader.read(key, field); });
  config.hidden_act = to_activation(reader.text("hidden_act"), path);
  reader.read("cls_token_id", config.cls_token_id);
  config.classifier_dropout = config.hidden_dropout_prob;
  reader.read("classifier_dropout", config.classifier_dropout);
  if (config.kind == BertKind::cehr_bert) {
    reader.read("sample_packing_max_positions", config.sample_packing_max_positions);
  }
  try {
    config.validate();
  } catch (const ConfigError& error) {
    throw ConfigError(str(path, ": ", error.what()));
  }
  return config;
}

std::string BertConfig::to_json() const {
  const bool is_cehr = kind == BertKind::cehr_bert;
  Json json;
  json["architectures"] = {is_cehr ? "CehrBertForPreTraining" : "BertForMaskedLM"};
  json["model_type"] = is_cehr ? "cehrbert" : "bert";
  visit_fields(*this, [&](const char* key, const auto& field) { json[key] = field; });
  json["hidden_act"] = activation_name(hidden_act);
  if (cls_token_id >= 0) json["cls_token_id"] = cls_token_id;
  json["classifier_dropout"] = classifier_dropout;
  json["torch_dtype"] = "float32";
  if (is_cehr) json["sample_packing_max_positions"] = num_positions();
  return json_text(json);
}

void BertConfig::write(const std::string& path) const {
  write_file(path, to_json());
}

void BertConfig::validate() const {
  check_positive("vocab_size", vocab_size, int64_t{1} << 26);
  check_positive("hidden_size", hidden_size, 1 << 16);
  check_positive("num_hidden_layers", num_hidden_layers, 1'024);
  check_positive("num_attention_heads", num_attention_heads, hidden_size);
  if (hidden_size % num_attention_heads != 0) {
    throw ConfigError("hidden_size", str(hidden_size),
                      str("a multiple of num_attention_heads, ", num_attention_heads));
  }
  check_positive("intermediate_size", intermediate_size, 1 << 20);
  check_positive("max_position_embeddings", max_position_embeddings, 1 << 24);
  check_positive("type_vocab_size", type_vocab_size, 1 << 24);
  if (pad_token_id < 0 || pad_token_id >= vocab_size) {
    throw ConfigError("pad_token_id", str(pad_token_id), str("0 to vocab_size - 1"));
  }
  check_scale("layer_norm_eps", layer_norm_eps);
  check_probability("hidden_dropout_prob", hidden_dropout_prob);
  check_probability("attention_probs_dropout_prob", attention_probs_dropout_prob);
  check_probability("classifier_dropout", classifier_dropout);
  if (kind == BertKind::bert) return;
  check_positive("n_time_embd", n_time_embd, 1 << 12);
  check_positive("n_visit_segments", n_visit_segments, 1 << 20);
  check_scale("time_embedding_scaling_factor", time_embedding_scaling_factor);
  check_scale("age_embedding_scaling_factor", age_embedding_scaling_factor);
  if (sample_packing_max_positions < 0 || sample_packing_max_positions > 1 << 24) {
    throw ConfigError("sample_packing_max_positions", str(sample_packing_max_positions),
                      "0 to 16777216");
  }
}

}  // namespace sequela
