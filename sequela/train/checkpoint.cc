#include "sequela/train/checkpoint.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/train/checkpoint_shards.h"
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
          {"loss_sum_before", json_double(state.loss_sum_before)},
          {"loss_count_before", state.loss_count_before},
          {"num_tokens_before", state.num_tokens_before},
          {"is_finished", state.is_finished}};
}

bool is_consistent(const TrainState& state, int64_t step) {
  return state.step == step && state.epoch >= 0 && state.epoch <= step && state.micro_batch >= 0 &&
         state.micro_batch <= state.position && state.num_events >= 0 && state.best_step >= -1 &&
         state.best_step <= step && state.evals_without_gain >= 0 && state.loss_count >= 0 &&
         state.num_tokens_before >= 0 && state.num_tokens >= state.num_tokens_before;
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
    state.loss_sum_before = json_number(json.at("loss_sum_before"), path);
    json.at("loss_count_before").get_to(state.loss_count_before);
    json.at("num_tokens_before").get_to(state.num_tokens_before);
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

// The gradients of the lane at work, and the sums of those before it.
Parameters to_gradients(const Parameters& parameters, const GradientSums& sums) {
  Parameters gradients = sums.state();
  for (const Parameter& parameter : parameters.items) {
    gradients.items.push_back({parameter.name, parameter.gradient, {}, false});
  }
  return gradients;
}

constexpr const char* kModel = "model";
constexpr const char* kOptimizer = "optimizer";

// Whole tensors, about the same number of values for each rank.
Parameters own_weights(const Parameters& parameters, const World& world) {
  const Sharding sharding(parameters, std::vector<bool>(parameters.items.size(), true),
                          world.size());
  Parameters own;
  for (const Piece& piece : sharding.pieces_of(world.rank()))
    own.items.push_back(parameters.items[piece.parameter]);
  return own;
}

void read_moments(const std::string& checkpoint, int64_t num_steps, Optimizer& optimizer) {
  const std::vector<std::string> paths = shard_paths(checkpoint, kOptimizer);
  size_t next = 0;
  optimizer.load(
      [&]() -> std::optional<Parameters> {
        if (next == paths.size()) return std::nullopt;
        return Parameters::read(paths[next++]);
      },
      num_steps, paths.front());
}

// Copies the values of the tensors that both have; their number.
int64_t copy_found(const Parameters& source, Parameters& target, const std::string& path) {
  int64_t num_found = 0;
  for (Parameter& parameter : target.items) {
    const Parameter* found = source.find(parameter.name);
    if (found == nullptr) continue;
    if (found->value.sizes() != parameter.value.sizes()) {
      throw FileError(path, str("tensor '", parameter.name, "' has another shape"),
                      "remove this checkpoint");
    }
    parameter.value.copy_(found->value);
    ++num_found;
  }
  return num_found;
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

void TrainState::begin_step() {
  micro_batch = num_events = 0;
  loss_sum_before = loss_sum;
  loss_count_before = loss_count;
  num_tokens_before = num_tokens;
}

void TrainState::drop_step() {
  position -= micro_batch;
  loss_sum = loss_sum_before;
  loss_count = loss_count_before;
  num_tokens = num_tokens_before;
  begin_step();
}

std::string checkpoint_path(const std::string& folder, int64_t step) {
  return str(folder, "/", kPrefix, step);
}

void write_checkpoint(const std::string& folder, const std::string& run_key,
                      const TrainState& state, const TrainParts& parts) {
  World& world = parts.world;
  std::optional<AtomicFolder> target;
  succeed_together(world, "the checkpoint's folder", [&] {
    if (world.is_first()) target.emplace(checkpoint_path(folder, state.step));
  });
  const std::string partial =
      text_of_first(world, "the checkpoint's folder", target ? target->partial_path() : "");
  succeed_together(world, "the checkpoint's shards", [&] {
    write_shard(own_weights(parts.model.parameters(), world), partial, kModel, world);
    write_shard(parts.optimizer.state(), partial, kOptimizer, world);
  });
  succeed_together(world, "the checkpoint's index", [&] {
    if (!world.is_first()) return;
    write_file(partial + "/config.json", parts.model.config_json());
    for (const char* what : {kModel, kOptimizer}) write_index(partial, what, world.size());
    if (state.micro_batch > 0)
      to_gradients(parts.model.parameters(), parts.sums).write(partial + "/gradients.safetensors");
    write_file(partial + "/trainer_state.json", json_text(to_json(state, run_key)) + "\n");
    target->commit();
  });
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
                                                 const std::string& run_key,
                                                 const TrainParts& parts) {
  const std::vector<int64_t> steps = list_checkpoints(folder);
  // The first rank says which is the newest: a shared disk may show another late.
  const int64_t newest = std::stoll(text_of_first(
      parts.world, "the newest checkpoint", steps.empty() ? "-1" : std::to_string(steps.back())));
  if (newest < 0) return std::nullopt;
  const std::string path = checkpoint_path(folder, newest);
  const std::string state_path = path + "/trainer_state.json";
  const Json json = parse_json(read_file(state_path), state_path);
  TrainState state = to_state(json, newest, run_key, state_path);
  read_checkpoint_weights(path, parts.model);
  read_moments(path, state.step, parts.optimizer);
  parts.sums.drop();
  if (state.micro_batch > 0 && !parts.world.is_alone()) state.drop_step();
  if (state.micro_batch > 0) {
    const std::string gradients_path = path + "/gradients.safetensors";
    const Parameters gradients = Parameters::read(gradients_path);
    copy_into(gradients, parts.model.parameters(), &Parameter::gradient, gradients_path);
    parts.sums.load(gradients, gradients_path);
  }
  return state;
}

void read_checkpoint_weights(const std::string& checkpoint, Trainable& model) {
  Parameters& target = model.parameters();
  int64_t num_missing = static_cast<int64_t>(target.items.size());
  const std::vector<std::string> paths = shard_paths(checkpoint, kModel);
  for (const std::string& path : paths)
    num_missing -= copy_found(Parameters::read(path), target, path);
  if (num_missing != 0) {
    throw FileError(paths.front(), str(num_missing, " of its tensors are missing or there twice"),
                    "remove this checkpoint");
  }
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
