#include "sequela/encoders/progression/progression_config.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/encoders/progression/lstm_stack.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr int64_t kMaxSize = 1 << 20;  // of any width: a product of two fits int64 by far
constexpr int64_t kMaxVocabulary = 1 << 28;
constexpr const char* kModelType = "lstm_progression";

void require_size(const char* key, int64_t value, int64_t max) {
  if (value < 1 || value > max) throw ConfigError(key, str(value), str("1 to ", max));
}

ProgressionPreset make_preset(const ProgressionConfig& config, int64_t max_visits,
                              int64_t max_codes, int64_t batch_size, int64_t accumulate) {
  return {config, max_visits, max_codes, batch_size, accumulate};
}

}  // namespace

void ProgressionConfig::validate() const {
  require_size("vocab_size", vocab_size, kMaxVocabulary);
  require_size("code_embed_dim", code_embed_dim, kMaxSize);
  require_size("visit_embed_dim", visit_embed_dim, kMaxSize);
  require_size("hidden_dim", hidden_dim, kMaxSize);
  require_size("num_stages", num_stages, kMaxSize);
  require_size("num_layers", num_layers, 1'000);
  if (!(dropout >= 0 && dropout < 1)) {
    throw ConfigError("dropout", str(dropout), "a number in [0, 1)");
  }
}

std::vector<ParameterShape> ProgressionConfig::parameter_shapes() const {
  const std::string encoder = "encoder.";
  std::vector<ParameterShape> shapes = {
      {encoder + "code_embeddings.weight", {vocab_size, code_embed_dim}, true}};
  add_lstm_shapes({encoder + "visit_lstm.", code_embed_dim, code_embed_dim}, &shapes);
  shapes.push_back({encoder + "visit_projection.weight", {visit_embed_dim, code_embed_dim}, true});
  shapes.push_back({encoder + "visit_projection.bias", {visit_embed_dim}});
  add_lstm_shapes({encoder + "sequence_lstm.", visit_embed_dim + 2, hidden_dim, num_layers},
                  &shapes);
  shapes.push_back({"stage_classifier.weight", {num_stages, hidden_dim}, true});
  shapes.push_back({"stage_classifier.bias", {num_stages}});
  shapes.push_back({"time_to_progression.weight", {1, hidden_dim}, true});
  shapes.push_back({"time_to_progression.bias", {1}});
  return shapes;
}

int64_t ProgressionConfig::num_parameters() const {
  int64_t num = 0;
  for (const ParameterShape& shape : parameter_shapes()) {
    int64_t size = 1;
    for (const int64_t length : shape.shape) size *= length;
    num += size;
  }
  return num;
}

ProgressionConfig ProgressionConfig::read(const std::string& path) {
  const Json json = parse_json(read_file(path), path);
  ProgressionConfig config;
  try {
    json.at("vocab_size").get_to(config.vocab_size);
    config.code_embed_dim = json.value("code_embed_dim", config.code_embed_dim);
    config.visit_embed_dim = json.value("visit_embed_dim", config.visit_embed_dim);
    config.hidden_dim = json.value("hidden_dim", config.hidden_dim);
    config.num_stages = json.value("num_stages", config.num_stages);
    config.num_layers = json.value("num_layers", config.num_layers);
    config.dropout = json.value("dropout", config.dropout);
  } catch (const nlohmann::json::exception&) {
    throw FileError(path, "is not the config of a progression model",
                    "it needs vocab_size, and numbers for all sizes");
  }
  config.validate();
  return config;
}

std::string ProgressionConfig::to_json() const {
  const Json json = {{"model_type", kModelType},         {"vocab_size", vocab_size},
                     {"code_embed_dim", code_embed_dim}, {"visit_embed_dim", visit_embed_dim},
                     {"hidden_dim", hidden_dim},         {"num_stages", num_stages},
                     {"num_layers", num_layers},         {"dropout", dropout}};
  return json_text(json) + "\n";
}

ProgressionPreset progression_preset(const std::string& name, int64_t vocab_size) {
  ProgressionPreset preset;
  if (name == "small") {
    preset = make_preset({10'000, 128, 256, 256, 5, 2}, 50, 50, 4, 8);
    preset.use_checkpoint = true;
  } else if (name == "medium") {
    preset = make_preset({20'000, 256, 512, 512, 5, 3}, 100, 100, 32, 1);
  } else if (name == "large") {
    preset = make_preset({50'000, 512, 768, 1'024, 5, 4}, 200, 150, 64, 1);
  } else {
    throw ConfigError("preset", name, "small, medium or large");
  }
  if (vocab_size > 0) preset.config.vocab_size = vocab_size;
  preset.config.validate();
  return preset;
}

}  // namespace sequela
