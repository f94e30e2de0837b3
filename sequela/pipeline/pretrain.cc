#include "sequela/pipeline/pretrain.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "sequela/batch/folder.h"
#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/log.h"
#include "sequela/distributed/world.h"
#include "sequela/nn/cuda/cuda_kernels.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/objective/registry.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain_output.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/pipeline/same_run.h"
#include "sequela/pipeline/yardsticks/label_probe.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"
#include "sequela/tokenizer/vocabulary.h"
#include "sequela/train/memory_plan.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// What prepare made, as far as training reads it.
std::vector<InputFile> data_files(const std::string& data, const Objective& objective) {
  std::vector<InputFile> files;
  for (const std::string part : {objective.task_file(), "ontology/ontology.parquet",
                                 "tokenizer/dictionary.msgpack", "train_batches", "val_batches"}) {
    for (InputFile& file : list_input_files(data + "/" + part))
      files.push_back({file.name.empty() ? part : part + "/" + file.name, std::move(file.path)});
  }
  return files;
}

std::vector<InputFile> probe_files(const std::vector<std::string>& paths) {
  std::vector<InputFile> files;
  for (const std::string& path : paths)
    files.push_back({str(files.size() + 1, " ", fs::path(path).filename().string()), path});
  return files;
}

// A model outlives the version that trained it.
RunRecipe build_recipe(const PretrainOptions& options, const Objective& objective,
                       const ModelConfig& config, Precision precision, Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "pretrain";
  recipe.depends_on_version = false;
  recipe.set_all(parse_json(to_config_json(config), "config").at("transformer_config"));
  recipe.set("precision", to_text(precision));
  recipe.set("embedding-std", options.embedding_std);
  recipe.set("seed", options.seed);
  if (options.kernels != Kernels::automatic) recipe.set("kernels", to_text(options.kernels));
  add_training(options.train, recipe);
  add_input("data", data_files(options.data, objective), fingerprints, recipe);
  if (options.select == Selection::probe) {
    recipe.set("select", "probe");
    recipe.set("probe-labels", options.probe_labels);
    add_input("meds", dataset_files(options.meds), fingerprints, recipe);
    add_input("probes", probe_files(options.probes), fingerprints, recipe);
  }
  recipe.outputs = {"config.json", "model.safetensors", "dictionary.msgpack", "ontology.parquet"};
  return recipe;
}

// What is measured at evaluations beside the objective's own report. Refers to the model.
class Probes {
 public:
  // Of several ranks the first one measures.
  Probes(const PretrainOptions& options, Motor& model, const World& world) {
    if (options.select == Selection::probe) monitor_.selected = "eval/probe";
    if (options.probes.empty() || !world.is_first()) return;
    const LabelProbeOptions probe{.meds = options.meds,
                                  .data = options.data,
                                  .labels = options.probes,
                                  .work_folder = options.out,
                                  .max_labels = options.probe_labels,
                                  .with_recall = options.with_recall,
                                  .read_out = options.read_out,
                                  .num_threads = at::get_num_threads(),
                                  .memory_bytes = options.memory_bytes};
    probe_ = std::make_unique<LabelProbe>(model, probe);
    monitor_.yardsticks.push_back(probe_.get());
  }

  const TrainMonitor& monitor() const { return monitor_; }

 private:
  std::unique_ptr<LabelProbe> probe_;
  TrainMonitor monitor_;
};

// The objective that was asked for, and that the data are for.
const Objective& choose_objective(const PretrainOptions& options) {
  const Objective& prepared = prepared_objective(options.data);
  if (!options.objective.empty() && &find_objective(options.objective) != &prepared) {
    throw ConfigError(str("--objective ", options.objective, ": ", options.data,
                          " was prepared for ", prepared.name(), ". Fix: give --objective ",
                          prepared.name(), ", or prepare it with --objective ", options.objective,
                          "."));
  }
  if (!options.truth.empty() && !prepared.has_use_for_truth())
    throw ConfigError("truth", options.truth, "nothing, with --objective " + str(prepared.name()));
  if (options.tokens_per_pass && !prepared.has_parts())
    throw ConfigError("tokens-per-pass", str(*options.tokens_per_pass),
                      "auto, with --objective " + str(prepared.name()));
  return prepared;
}

int64_t most_tokens(const BatchFolder& batches) {
  int64_t most = 0;
  for (int64_t i = 0; i < batches.num_batches(); ++i) most = std::max(most, batches.num_tokens(i));
  return most;
}

// What a pass computes at once, before the model takes its memory; 0: a batch as it is.
int64_t tokens_per_pass(const PretrainOptions& options, const ModelConfig& config,
                        const MemoryPlanOptions& plan, at::Device device) {
  constexpr double kShare =
      0.9;  // the rest: libraries, batches on their way, an evaluation's rates
  if (options.tokens_per_pass) return *options.tokens_per_pass;
  if (!device.is_cuda()) return 0;
  const int64_t free = cuda_device_facts(device.index()).free_bytes;
  const int64_t fits = plan_memory(config, options.train, plan)
                           .largest_batch(static_cast<int64_t>(kShare * static_cast<double>(free)));
  if (fits == 0 || fits >= plan.tokens_per_batch) return 0;
  log_info(str("batches of up to ", plan.tokens_per_batch, " tokens are computed in parts of ",
               fits, ", which fit into the memory of ", device.str()));
  return fits;
}

}  // namespace

ModelConfig read_prepared_config(const EncoderConfig& encoder, const std::string& data) {
  const Objective& objective = prepared_objective(data);
  const Vocabulary vocabulary = Vocabulary::read(data + "/tokenizer/dictionary.msgpack");
  ModelConfig config;
  config.encoder = encoder;
  config.encoder.vocab_size = static_cast<int64_t>(vocabulary.entries.size());
  config.encoder.is_hierarchical = vocabulary.is_hierarchical;
  if (!vocabulary.is_hierarchical) {
    config.encoder.has_hawk = false;
    config.encoder.time_columns = TimeColumns::normalized_age;
  }
  objective.add_head(data + "/" + objective.task_file(), config);
  config.encoder.validate("options");
  return config;
}

void scale_embeddings(double deviation, Motor& model) {
  if (deviation == 1) return;
  const bool is_hierarchical = model.config().encoder.is_hierarchical;
  model.parameters()
      .get(is_hierarchical ? "transformer.embed_bag.weight" : "transformer.embed.weight")
      .value.mul_(deviation);
  model.refresh_weights();
}

std::vector<std::string> plan_pretraining(const PretrainOptions& options, int64_t available_bytes) {
  options.validate();
  const ModelConfig config = read_prepared_config(options.encoder, options.data);
  const BatchFolder batches = BatchFolder::open(options.data + "/train_batches");
  MemoryPlanOptions plan;
  plan.precision = options.precision.value_or(fastest_precision(at::kCPU));
  plan.activations = options.activations;
  plan.tokens_per_batch = most_tokens(batches);
  std::vector<std::string> lines =
      memory_table(config, options.train, plan, {1, 2, 4, 8, 16, 64}, available_bytes);
  lines.push_back(str("Batches hold up to ", plan.tokens_per_batch,
                      " tokens (--tokens-per-batch of "
                      "`sequela prepare`), products are ",
                      to_text(plan.precision), "."));
  return lines;
}

PretrainReport pretrain(const PretrainOptions& options) {
  options.validate();
  World& world = process_world();
  const TorchThreads threads(options.num_threads);
  const at::Device device = to_device(options.device);
  const Precision precision = options.precision.value_or(fastest_precision(device));
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  const Objective* chosen = nullptr;
  ModelConfig config;
  RunRecipe recipe;
  succeed_together(world, "the start", [&] {
    chosen = &choose_objective(options);
    config = read_prepared_config(options.encoder, options.data);
    recipe = build_recipe(options, *chosen, config, precision, fingerprints);
  });
  const Objective& objective = *chosen;
  check_same_run(world, recipe);

  PretrainReport report;
  report.is_up_to_date =
      is_any(world, "the bundle", Manifest(options.model, fingerprints).is_up_to_date(recipe));
  if (report.is_up_to_date) return report;
  BatchLimits limits{.vocab_size = static_cast<int32_t>(config.encoder.vocab_size)};
  if (config.motor) limits.num_tasks = static_cast<int32_t>(config.motor->num_tasks());
  std::optional<FolderLock> lock;
  succeed_together(world, "the output folder", [&] {
    if (world.is_first()) lock.emplace(options.out);
  });
  std::optional<BatchFolder> train_folder, valid_folder;
  std::optional<Motor> fresh;
  int64_t at_once = 0;
  succeed_together(world, "the batches and the model", [&] {
    train_folder.emplace(BatchFolder::open(options.data + "/train_batches", limits));
    valid_folder.emplace(BatchFolder::open(options.data + "/val_batches", limits));
    at_once = tokens_per_pass(
        options, config,
        {.precision = precision,
         .activations = options.activations,
         .num_ranks = world.size(),
         .tokens_per_batch = std::max(most_tokens(*train_folder), most_tokens(*valid_folder))},
        device);
    fresh.emplace(config, options.seed, device, precision,
                  choose_ways(device, options.kernels, options.kernel_cache));
    scale_embeddings(options.embedding_std, *fresh);
    fresh->set_activations(options.activations);
  });
  const BatchFolder &train_batches = *train_folder, &valid_batches = *valid_folder;
  Motor& model = *fresh;
  report.num_parameters = model.parameters().num_values();
  log_info(str(report.num_parameters, " parameters, ", train_batches.num_batches(), " + ",
               valid_batches.num_batches(), " batches, on ", device.str(),
               world.is_alone() ? "" : str(", ", world.size(), " ranks")));
  log_precision(precision, device);

  TrainOptions train_options = options.train;
  train_options.folder = options.out;
  train_options.seed = options.seed;
  std::unique_ptr<Trainable> training;
  for (const bool is_firsts_turn : {true, false}) {  // the first writes what the others read
    succeed_together(world, "the objective", [&] {
      if (world.is_first() != is_firsts_turn) return;
      training = objective.training({.model = model,
                                     .train_batches = train_batches,
                                     .validation_batches = valid_batches,
                                     .task_path = options.data + "/" + objective.task_file(),
                                     .work_folder = options.out,
                                     .data_key = fingerprint_of(recipe.inputs.at("data")),
                                     .truth = options.truth,
                                     .num_threads = at::get_num_threads(),
                                     .tokens_per_pass = at_once});
    });
  }
  std::optional<Probes> probes;
  succeed_together(world, "the probes", [&] { probes.emplace(options, model, world); });
  report.train = train(*training, train_options, recipe.digest(), probes->monitor(), world);
  if (!report.train.is_finished) return report;
  succeed_together(world, "the bundle", [&] {
    if (world.is_first())
      write_pretrained(options, objective, recipe, model, report.train, fingerprints);
  });
  return report;
}

}  // namespace sequela
