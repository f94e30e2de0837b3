// config.json of a femr bundle:
//
//   {architectures: ["FEMRModel"], transformer_config: {vocab_size, ...}, task_config: {task_type,
//    task_kwargs: {...}}, ...}
//
// transformers leaves out a field that has femr's default, so each absent field takes that.
// Source: femr 0.2.4, femr/models/config.py.
#include "sequela/model/encoder_config.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr size_t kMaxConfigBytes = size_t{256} << 20;
constexpr int64_t kMaxTasks = 1 << 20;
constexpr int64_t kMaxBins = 1'024;

// What transformers 4.53.1 adds to femr's task_config: PretrainedConfig's own fields, none of which
// femr uses. Written so that the file is the one that femr would write.
constexpr const char* kTaskConfigDefaults = R"({
  "_name_or_path": "", "add_cross_attention": false, "architectures": null,
  "bad_words_ids": null, "begin_suppress_tokens": null, "bos_token_id": null,
  "chunk_size_feed_forward": 0, "cross_attention_hidden_size": null,
  "decoder_start_token_id": null, "diversity_penalty": 0.0, "do_sample": false,
  "early_stopping": false, "encoder_no_repeat_ngram_size": 0, "eos_token_id": null,
  "exponential_decay_length_penalty": null, "finetuning_task": null,
  "forced_bos_token_id": null, "forced_eos_token_id": null,
  "id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "is_decoder": false,
  "is_encoder_decoder": false, "label2id": {"LABEL_0": 0, "LABEL_1": 1},
  "length_penalty": 1.0, "max_length": 20, "min_length": 0, "model_type": "",
  "no_repeat_ngram_size": 0, "num_beam_groups": 1, "num_beams": 1, "num_return_sequences": 1,
  "output_attentions": false, "output_hidden_states": false, "output_scores": false,
  "pad_token_id": null, "prefix": null, "problem_type": null, "pruned_heads": {},
  "remove_invalid_values": false, "repetition_penalty": 1.0, "return_dict": true,
  "return_dict_in_generate": false, "sep_token_id": null, "suppress_tokens": null,
  "task_specific_params": null, "temperature": 1.0, "tf_legacy_loss": false,
  "tie_encoder_decoder": false, "tie_word_embeddings": true, "tokenizer_class": null,
  "top_k": 50, "top_p": 1.0, "torch_dtype": null, "torchscript": false, "typical_p": 1.0,
  "use_bfloat16": false
})";

// A JSON object with the place that errors name.
class Section {
 public:
  Section(const Json& json, std::string path, std::string name)
      : json_(json), path_(std::move(path)), name_(std::move(name)) {
    if (!json_.is_object()) throw FileError(path_, str("'", name_, "' is not an object"));
  }

  const Json* find(const char* key) const {
    const auto at = json_.find(key);
    return at == json_.end() || at->is_null() ? nullptr : &*at;
  }

  int64_t integer(const char* key, int64_t fallback) const {
    const Json* json = find(key);
    if (json == nullptr) return fallback;
    const double value = json->is_number() ? json->get<double>() : std::nan("");
    if (!(std::floor(value) == value && std::fabs(value) < 0x1p53))
      fail(key, "is not a whole number");
    return static_cast<int64_t>(value);
  }

  bool flag(const char* key, bool fallback) const {
    const Json* json = find(key);
    if (json == nullptr) return fallback;
    if (!json->is_boolean()) fail(key, "is neither true nor false");
    return json->get<bool>();
  }

  std::string text(const char* key, const std::string& fallback) const {
    const Json* json = find(key);
    if (json == nullptr) return fallback;
    if (!json->is_string()) fail(key, "is not a text");
    return json->get<std::string>();
  }

  const Json& array(const char* key, int64_t max_size) const {
    const Json* json = find(key);
    if (json == nullptr || !json->is_array()) fail(key, "is missing or not a list");
    if (static_cast<int64_t>(json->size()) > max_size)
      fail(key, str("has more than ", max_size, " items"));
    return *json;
  }

  [[noreturn]] void fail(const char* key, const std::string& problem) const {
    throw FileError(path_, str(name_, ".", key, " ", problem));
  }

 private:
  const Json& json_;
  const std::string path_;
  const std::string name_;
};

EncoderConfig read_encoder(const Json& root, const std::string& path) {
  if (!root.contains("transformer_config")) {
    throw FileError(path, "has no 'transformer_config'",
                    "point to the config.json of a MOTOR or CLMBR bundle");
  }
  const Section section(root["transformer_config"], path, "transformer_config");
  EncoderConfig config;
  config.vocab_size = section.integer("vocab_size", 32'768);
  config.is_hierarchical = section.flag("is_hierarchical", false);
  config.hidden_size = section.integer("hidden_size", 768);
  config.intermediate_size = section.integer("intermediate_size", 3'072);
  config.n_heads = section.integer("n_heads", 12);
  config.n_layers = section.integer("n_layers", 6);
  config.attention_width = section.integer("attention_width", 496);
  config.use_normed_ages = section.flag("use_normed_ages", false);
  config.use_bias = section.flag("use_bias", true);
  config.hidden_act = section.text("hidden_act", "gelu");
  config.validate(path);
  return config;
}

// [code, rate, n_censored, n_events, mean_time]; femr writes the counts as whole or as real
// numbers.
MotorHeadConfig::Task read_task(const Json& row, const std::string& path) {
  if (!row.is_array() || row.size() < 2 || !row[0].is_string()) {
    throw FileError(path, "pretraining_task_info: an entry is not [code, rate, ...]");
  }
  MotorHeadConfig::Task task;
  task.code = row[0].get<std::string>();
  task.rate = json_number(row[1], path);
  if (!(task.rate > 0) || std::isinf(task.rate)) {
    throw FileError(path, "pretraining_task_info: a rate is not a positive number");
  }
  const auto count = [&](size_t i) {
    const double value = row.size() > i ? json_number(row[i], path) : 0;
    if (!(value >= 0 && value < 0x1p53))
      throw FileError(path, "pretraining_task_info: a count is out of range");
    return static_cast<int64_t>(value);
  };
  task.n_censored = count(2);
  task.n_events = count(3);
  task.mean_time = row.size() > 4 ? json_number(row[4], path) : 0;
  return task;
}

MotorHeadConfig read_motor_head(const Section& kwargs, const std::string& path) {
  MotorHeadConfig config;
  for (const Json& row : kwargs.array("pretraining_task_info", kMaxTasks)) {
    config.tasks.push_back(read_task(row, path));
  }
  for (const Json& edge : kwargs.array("time_bins", kMaxBins + 1)) {
    config.time_bins.push_back(json_number(edge, path));
  }
  config.final_layer_size = kwargs.integer("final_layer_size", 0);
  config.validate(path);
  return config;
}

Json encoder_json(const EncoderConfig& config) {
  return {{"attention_width", config.attention_width},
          {"hidden_act", config.hidden_act},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"is_hierarchical", config.is_hierarchical},
          {"model_type", ""},
          {"n_heads", config.n_heads},
          {"n_layers", config.n_layers},
          {"use_bias", config.use_bias},
          {"use_normed_ages", config.use_normed_ages},
          {"vocab_size", config.vocab_size}};
}

Json motor_kwargs_json(const MotorHeadConfig& motor) {
  Json tasks = Json::array();
  for (const auto& task : motor.tasks) {
    tasks.push_back(Json::array(
        {task.code, task.rate, task.n_censored, task.n_events, json_double(task.mean_time)}));
  }
  Json bins = Json::array();
  for (double edge : motor.time_bins) bins.push_back(json_double(edge));
  return {{"final_layer_size", motor.final_layer_size},
          {"pretraining_task_info", std::move(tasks)},
          {"time_bins", std::move(bins)}};
}

Json task_json(const ModelConfig& config) {
  Json task = parse_json(kTaskConfigDefaults, "task_config");
  if (config.motor) {
    task["task_kwargs"] = motor_kwargs_json(*config.motor);
    task["task_type"] = "motor";
  } else {
    task["task_kwargs"] = {{"clmbr_vocab_size", config.clmbr_vocab_size}};
    task["task_type"] = "clmbr";
  }
  return nlohmann::json(task);  // sorts the keys, as femr's file has them
}

}  // namespace

void EncoderConfig::validate(const std::string& path) const {
  const auto check_size = [&](const char* key, int64_t value, int64_t max) {
    if (value >= 1 && value <= max) return;
    throw FileError(path,
                    str("transformer_config.", key, " is ", value, ", allowed are 1 to ", max));
  };
  check_size("vocab_size", vocab_size, int64_t{1} << 30);
  check_size("hidden_size", hidden_size, 1 << 16);
  check_size("intermediate_size", intermediate_size, 1 << 18);
  check_size("n_heads", n_heads, 1 << 12);
  check_size("n_layers", n_layers, 1 << 10);
  check_size("attention_width", attention_width, int64_t{1} << 30);
  if (hidden_size % n_heads != 0 || (hidden_size / n_heads) % 2 != 0) {
    throw FileError(path, str("transformer_config.hidden_size is ", hidden_size,
                              ", which does not make ", n_heads, " heads of an even size"));
  }
  if (use_normed_ages && hidden_size < 10) {
    throw FileError(path,
                    "transformer_config.hidden_size leaves no room for the time features (10)");
  }
  if (hidden_act != "swiglu" && hidden_act != "gelu") {
    throw FileError(path, "transformer_config.hidden_act is neither 'swiglu' nor 'gelu'");
  }
}

void MotorHeadConfig::validate(const std::string& path) const {
  if (tasks.empty()) throw FileError(path, "pretraining_task_info is empty");
  if (time_bins.size() < 2) throw FileError(path, "time_bins needs at least two edges");
  if (!std::is_sorted(time_bins.begin(), time_bins.end()) || time_bins.front() != 0 ||
      time_bins.back() != INFINITY) {
    throw FileError(path, "time_bins must ascend from 0 to Infinity");
  }
  if (final_layer_size < 1 || final_layer_size > 1 << 16) {
    throw FileError(path,
                    str("final_layer_size is ", final_layer_size, ", allowed are 1 to 65536"));
  }
}

ModelConfig read_model_config(const std::string& path) {
  const Json root = parse_json(read_file(path, kMaxConfigBytes), path);
  if (!root.is_object()) throw FileError(path, "is not a JSON object");
  ModelConfig config;
  config.encoder = read_encoder(root, path);
  const Section whole(root, path, "config");
  const Json* task = whole.find("task_config");
  if (task == nullptr) return config;

  const Section section(*task, path, "task_config");
  const std::string type = section.text("task_type", "");
  if (type != "motor" && type != "clmbr") return config;  // labeled_subjects: no head
  const Json* kwargs_json = section.find("task_kwargs");
  if (kwargs_json == nullptr) section.fail("task_kwargs", "is missing");
  const Section kwargs(*kwargs_json, path, "task_config.task_kwargs");
  if (type == "motor") {
    config.motor = read_motor_head(kwargs, path);
  } else {
    config.clmbr_vocab_size = kwargs.integer("clmbr_vocab_size", 0);
    if (config.clmbr_vocab_size < 1 || config.clmbr_vocab_size > int64_t{1} << 30) {
      kwargs.fail("clmbr_vocab_size", str("is ", config.clmbr_vocab_size));
    }
  }
  return config;
}

std::string to_config_json(const ModelConfig& config) {
  Json root = {{"architectures", {"FEMRModel"}}};
  if (config.motor || config.clmbr_vocab_size > 0) root["task_config"] = task_json(config);
  root["torch_dtype"] = "float32";
  root["transformer_config"] = encoder_json(config.encoder);
  root["transformers_version"] = "4.53.1";
  return json_text(root) + "\n";
}

}  // namespace sequela
