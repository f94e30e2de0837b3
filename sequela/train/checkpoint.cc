#include "sequela/train/checkpoint.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/train/motor_training.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "checkpoint-";

Json to_json(const TrainState& state, const std::string& run_key) {
  return {{"run_key", run_key},
          {"step", state.step},
          {"epoch", state.epoch},
          {"position", state.position},
          {"micro_batch", state.micro_batch},
          {"num_events", state.num_events},
          {"is_evaluated", state.is_evaluated},
          {"best_step", state.best_step},
          {"best_loss", json_double(state.best_loss)},
          {"best_figure", json_double(state.best_figure)},
          {"evals_without_gain", state.evals_without_gain},
          {"loss_sum", json_double(state.loss_sum)},
          {"loss_count", state.loss_count},
          {"num_tokens", state.num_tokens},
          {"is_finished", state.is_finished}};
}

bool is_consistent(const TrainState& state, int64_t step) {
  return state.step == step && state.epoch >= 0 && state.epoch <= step && state.micro_batch >= 0 &&
         state.micro_batch <= state.position && state.num_events >= 0 && state.best_step >= -1 &&
         state.best_step <= step && state.evals_without_gain >= 0 && state.loss_count >= 0 &&
         state.num_tokens >= 0;
}

// The state of checkpoint `step`, if it is one of this run.
TrainState to_state(const Json& json, int64_t step, const std::string& run_key,
                    const std::string& path) {
  TrainState state;
  std::string key;
  try {
    json.at("run_key").get_to(key);
    json.at("step").get_to(state.step);
    json.at("epoch").get_to(state.epoch);
    json.at("position").get_to(state.position);
    json.at("micro_batch").get_to(state.micro_batch);
    json.at("num_events").get_to(state.num_events);
    json.at("is_evaluated").get_to(state.is_evaluated);
    json.at("best_step").get_to(state.best_step);
    state.best_loss = json_number(json.at("best_loss"), path);
    state.best_figure = json_number(json.at("best_figure"), path);
    json.at("evals_without_gain").get_to(state.evals_without_gain);
    state.loss_sum = json_number(json.at("loss_sum"), path);
    json.at("loss_count").get_to(state.loss_count);
    json.at("num_tokens").get_to(state.num_tokens);
    json.at("is_finished").get_to(state.is_finished);
  } catch (const nlohmann::json::exception&) {
    throw FileError(path, "a field is missing or of the wrong type", "remove this checkpoint");
  }
  if (key != run_key) {
    throw ConfigError(str(path,
                          ": belongs to a run with other options or data. Fix: give the same "
                          "ones, another --out, or remove the folder."));
  }
  if (!is_consistent(state, step)) {
    throw FileError(path, "its counters contradict each other", "remove this checkpoint");
  }
  return state;
}

Parameters to_gradients(const Parameters& parameters) {
  Parameters gradients;
  for (const Parameter& parameter : parameters.items) {
    gradients.items.push_back({parameter.name, parameter.gradient, {}, false});
  }
  return gradients;
}

// Copies tensors of the same names and shapes into values (or gradients).
void copy_into(const Parameters& source, Parameters& target, at::Tensor Parameter::*field,
               const std::string& path) {
  for (Parameter& parameter : target.items) {
    const Parameter* found = source.find(parameter.name);
    if (found == nullptr || found->value.sizes() != parameter.value.sizes()) {
      throw FileError(path, str("tensor '", parameter.name, "' is missing or has another shape"),
                      "remove this checkpoint");
    }
    (parameter.*field).copy_(found->value);
  }
}

}  // namespace

bool TrainState::take_result(double loss, std::optional<double> selected) {
  // Without validation batches (the loss is NaN) the newest weights count as the best.
  const bool is_better = selected ? !(*selected <= best_figure) : !(loss >= best_loss);
  const bool is_best = best_step < 0 || is_better;
  evals_without_gain = is_best ? 0 : evals_without_gain + 1;
  if (!is_best) return false;
  best_step = step;
  best_loss = loss;
  best_figure = selected.value_or(0);
  return true;
}

std::string checkpoint_path(const std::string& folder, int64_t step) {
  return str(folder, "/", kPrefix, step);
}

void write_checkpoint(const std::string& folder, const std::string& run_key,
                      const TrainState& state, Trainable& model, const Optimizer& optimizer) {
  AtomicFolder target(checkpoint_path(folder, state.step));
  const std::string& partial = target.partial_path();
  write_file(partial + "/config.json", model.config_json());
  model.parameters().write(partial + "/model.safetensors");
  optimizer.state().write(partial + "/optimizer.safetensors");
  if (state.micro_batch > 0) {
    to_gradients(model.parameters()).write(partial + "/gradients.safetensors");
  }
  write_file(partial + "/trainer_state.json", json_text(to_json(state, run_key)) + "\n");
  target.commit();
}

std::vector<int64_t> list_checkpoints(const std::string& folder) {
  std::vector<int64_t> steps;
  if (!fs::is_directory(folder)) return steps;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    int64_t step = 0;
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, step);
    if (parsed.ec == std::errc() && parsed.ptr == end) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::optional<TrainState> read_newest_checkpoint(const std::string& folder,
                                                 const std::string& run_key, Trainable& model,
                                                 Optimizer& optimizer) {
  const std::vector<int64_t> steps = list_checkpoints(folder);
  if (steps.empty()) return std::nullopt;
  const std::string path = checkpoint_path(folder, steps.back());
  const std::string state_path = path + "/trainer_state.json";
  const Json json = parse_json(read_file(state_path), state_path);
  const TrainState state = to_state(json, steps.back(), run_key, state_path);
  read_checkpoint_weights(path, model);
  const std::string optimizer_path = path + "/optimizer.safetensors";
  optimizer.load(Parameters::read(optimizer_path), state.step, optimizer_path);
  model.parameters().zero_gradients();
  if (state.micro_batch > 0) {
    const std::string gradients_path = path + "/gradients.safetensors";
    copy_into(Parameters::read(gradients_path), model.parameters(), &Parameter::gradient,
              gradients_path);
  }
  return state;
}

void read_checkpoint_weights(const std::string& checkpoint, Trainable& model) {
  const std::string path = checkpoint + "/model.safetensors";
  copy_into(Parameters::read(path), model.parameters(), &Parameter::value, path);
  model.refresh_weights();
}

void read_checkpoint_weights(const std::string& checkpoint, Motor& model) {
  MotorTraining training(model, nullptr, nullptr);
  read_checkpoint_weights(checkpoint, training);
}

void prune_checkpoints(const std::string& folder, int64_t keep, int64_t best_step) {
  const std::vector<int64_t> steps = list_checkpoints(folder);
  const int64_t num_old = static_cast<int64_t>(steps.size()) - keep;
  for (int64_t i = 0; i < num_old; ++i) {
    if (steps[i] != best_step) fs::remove_all(checkpoint_path(folder, steps[i]));
  }
}

}  // namespace sequela
