#include "sequela/model/model_dir.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <unordered_map>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/model/parameter_layout.h"

namespace sequela {
namespace {

std::string shape_text(at::IntArrayRef shape) {
  std::ostringstream out;
  out << shape;
  return out.str();
}

// What femr's versions leave to the weights.
void follow_weights(const Parameters& parameters, ModelConfig& config) {
  const auto holds = [&](const std::string& part) {
    return std::any_of(
        parameters.items.begin(), parameters.items.end(),
        [&](const Parameter& item) { return item.name.find(part) != std::string::npos; });
  };
  EncoderConfig& encoder = config.encoder;
  encoder.has_hawk = holds(".hawk_module.");
  if (config.motor) {
    config.motor->has_norm = holds("task_model.norm.weight");
    config.motor->has_time_bias = holds("task_model.task_time_bias");
  }
  const bool is_recent_head = config.motor && config.motor->has_norm;
  encoder.time_columns =
      encoder.has_hawk || is_recent_head ? TimeColumns::time_data : TimeColumns::normalized_age;
}

// Drops what no part of the model uses and throws for what is missing or of another shape.
void check_parameters(const ModelConfig& config, const std::string& path, Parameters& parameters) {
  const bool has_head = config.motor.has_value() || config.clmbr_vocab_size > 0;
  std::unordered_map<std::string, const Parameter*> by_name;
  for (const Parameter& item : parameters.items) by_name[item.name] = &item;
  std::set<std::string> known;
  for (const ParameterSpec& spec : parameter_layout(config)) {
    const auto at = by_name.find(spec.shape.name);
    if (at == by_name.end()) {
      throw FileError(path, str("tensor ", spec.shape.name, " is missing"),
                      "use the config.json that belongs to these weights");
    }
    const at::IntArrayRef shape = at->second->value.sizes();
    if (shape != at::IntArrayRef(spec.shape.shape)) {
      throw FileError(path,
                      str("tensor ", spec.shape.name, " has shape ", shape_text(shape),
                          ", the config asks for ", shape_text(spec.shape.shape)),
                      "use the config.json that belongs to these weights");
    }
    known.insert(spec.shape.name);
  }
  std::erase_if(parameters.items, [&](const Parameter& item) {
    return !has_head && item.name.starts_with(kMotorHeadPrefix);
  });
  for (const Parameter& item : parameters.items) {
    if (!known.contains(item.name)) {
      throw FileError(
          path, str("tensor ", item.name, " is no part of the model that config.json describes"));
    }
  }
}

// Takes the classifier's tensors out of `parameters`; nullopt if there is none.
std::optional<Classifier> take_classifier(int64_t hidden_size, const std::string& path,
                                          Parameters& parameters) {
  Parameters own;
  std::erase_if(parameters.items, [&](const Parameter& item) {
    if (!item.name.starts_with(Classifier::kPrefix)) return false;
    own.items.push_back(item);
    return true;
  });
  if (own.items.empty()) return std::nullopt;
  Classifier classifier(hidden_size, at::kCPU);
  for (Parameter& item : classifier.parameters().items) {
    const Parameter* found = own.find(item.name);
    if (found == nullptr || found->value.sizes() != item.value.sizes()) {
      throw FileError(
          path,
          str("tensor ", item.name, " is missing or not of shape ", shape_text(item.value.sizes())),
          "use a bundle as `sequela finetune` writes it");
    }
    item.value.copy_(found->value);
  }
  return classifier;
}

}  // namespace

ModelDir read_model_files(const std::string& config_path, const std::string& weights_path) {
  ModelDir dir;
  dir.config = read_model_config(config_path);
  dir.parameters = Parameters::read(weights_path);
  dir.classifier = take_classifier(dir.config.encoder.hidden_size, weights_path, dir.parameters);
  follow_weights(dir.parameters, dir.config);
  check_parameters(dir.config, weights_path, dir.parameters);
  return dir;
}

ModelDir read_model_dir(const std::string& folder) {
  ModelDir dir = read_model_files(folder + "/config.json", folder + "/model.safetensors");
  dir.dictionary_path = folder + "/dictionary.msgpack";
  return dir;
}

Motor open_bundle(const std::string& folder, at::Device device, Precision precision,
                  const Ways& ways) {
  ModelDir dir = read_model_dir(folder);
  return Motor(dir.config, std::move(dir.parameters), device, precision, ways);
}

void write_model_dir(const std::string& folder, const ModelConfig& config,
                     const Parameters& parameters, const std::string& dictionary_path) {
  write_file(folder + "/config.json", to_config_json(config));
  parameters.write(folder + "/model.safetensors");
  write_file(folder + "/dictionary.msgpack", read_file(dictionary_path));
}

}  // namespace sequela
