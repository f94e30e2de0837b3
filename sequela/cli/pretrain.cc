#include <algorithm>
#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/compute_options.h"
#include "sequela/cli/pretrain_records.h"
#include "sequela/cli/terminal.h"
#include "sequela/cli/training_options.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/distributed/world.h"
#include "sequela/objective/registry.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/train/recipe.h"

namespace sequela {
namespace {

struct PretrainArguments {
  CommonOptions common;
  PretrainOptions options;
  TrainingArguments training;
  std::vector<RecordArguments> of_records;
  std::string objective;
  std::string recipe = to_text(Recipe::sequela);
  std::string size;
  std::string select = "loss";
  std::string read_out = to_text(ReadOut::last);
  std::string precision;
  std::string kernels = "auto";
  std::string tokens_per_pass = "auto";
  bool has_gradient_checkpointing = false;
  bool is_dry_run = false;
};

void add_model_options(CLI::App& app, PretrainArguments& arguments) {
  app.option_defaults()->group("Model");
  EncoderConfig& encoder = arguments.options.encoder;
  app.add_option("--size", arguments.size,
                 "Layers, hidden, heads and intermediate, with a learning rate and an accumulation "
                 "that suit them")
      ->type_name("tiny|small|base");
  app.add_option("--layers", encoder.n_layers, "12 = base, 6 = small");
  app.add_option("--hidden", encoder.hidden_size, "Width of the hidden states");
  app.add_option("--heads", encoder.n_heads, "Attention heads");
  app.add_option("--intermediate", encoder.intermediate_size, "Width of the feed-forward part");
  app.add_option("--embedding-std", arguments.options.embedding_std,
                 "Standard deviation of fresh embeddings of tokens");
  app.add_option("--attention-width", encoder.attention_width, "Tokens that a token attends to");
}

void add_run_options(CLI::App& app, PretrainArguments& arguments) {
  app.option_defaults()->group("Training");
  app.add_option("--recipe", arguments.recipe,
                 "Defaults of the numbers below; femr: the published ones")
      ->type_name("femr|sequela");
  add_training_options(app, arguments.training);
  app.add_option("--precision", arguments.precision, "auto = the faster one on this device")
      ->type_name("bf16|fp32|auto");
  app.add_flag("--gradient-checkpointing", arguments.has_gradient_checkpointing,
               "About half the memory for a quarter more time; the weights are the same");
  app.add_option("--tokens-per-pass", arguments.tokens_per_pass,
                 "Computed at once; larger batches in parts, with the same result. auto = what "
                 "fits into a GPU's free memory, on the CPU all")
      ->type_name("TOKENS");
  app.add_option("--seed", arguments.options.seed, "Of weights and batch order");
}

void add_probe_options(CLI::App& app, PretrainArguments& arguments) {
  app.option_defaults()->group("Yardsticks");
  PretrainOptions& options = arguments.options;
  app.add_option("--probe", options.probes,
                 "labels.parquet (may come again): AUROC of a logistic probe at each evaluation; "
                 "with --meds")
      ->allow_extra_args(false)
      ->type_name(kFile);
  app.add_option("--probe-labels", options.probe_labels, "Labels of a file and side at the most");
  app.add_option("--read-out", arguments.read_out, "Of the probes, as in `sequela features`")
      ->type_name("last|last+history");
  app.add_flag("--recall", options.with_recall,
               "Also how well a probe tells which codes stood in the year before the labels");
  app.add_option("--truth", options.truth,
                 "truth/ of records that synth made: the share of the truth's gain")
      ->type_name(kFolder);
  app.add_option("--select", arguments.select, "What picks the best checkpoint")
      ->type_name("loss|probe");
}

// What was given, over the size's values, over the recipe's.
void fill_options(const CLI::App& app, const PretrainArguments& arguments,
                  PretrainOptions* options) {
  const EncoderConfig given = options->encoder;
  const double given_std = options->embedding_std;
  apply_recipe(to_recipe(arguments.recipe), *options);
  take_option(app, "--embedding-std", given_std, &options->embedding_std);
  if (!arguments.size.empty()) apply_size(arguments.size, *options);
  take_option(app, "--layers", given.n_layers, &options->encoder.n_layers);
  take_option(app, "--hidden", given.hidden_size, &options->encoder.hidden_size);
  take_option(app, "--heads", given.n_heads, &options->encoder.n_heads);
  take_option(app, "--intermediate", given.intermediate_size, &options->encoder.intermediate_size);
  take_training_options(app, arguments.training, &options->train);
}

// An objective of the backbone.
int run_prepared(const CLI::App& app, PretrainArguments& arguments) {
  refuse_record_options(app, arguments.of_records);
  PretrainOptions& options = arguments.options;
  fill_options(app, arguments, &options);
  options.objective = arguments.objective;
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.kernels = to_kernels(arguments.kernels);
  options.kernel_cache = kernel_cache_folder();
  options.tokens_per_pass = to_tokens_per_pass(arguments.tokens_per_pass);
  options.select = to_selection(arguments.select);
  options.read_out = to_read_out(arguments.read_out);
  if (arguments.has_gradient_checkpointing) options.activations = Activations::recomputed;
  if (arguments.is_dry_run) {
    for (const std::string& line : plan_pretraining(options, options.memory_bytes))
      std::cout << line << "\n";
    return 0;
  }
  const PretrainReport report = pretrain(options);
  if (report.is_up_to_date || !process_world().is_first()) return 0;
  const TrainReport& train = report.train;
  if (!train.is_finished) {
    std::cout << "Stopped at step " << train.steps << " with a checkpoint in " << options.out
              << "; the same command goes on from there.\n";
    return 0;
  }
  write_options(app, options.model);
  if (arguments.common.is_quiet) return 0;
  std::cout << "Trained " << with_thousands(report.num_parameters) << " parameters for "
            << with_thousands(train.steps) << " steps in " << duration_text(train.seconds) << " ("
            << short_number(train.tokens_per_second) << " tokens/s).\nBest validation loss "
            << train.best_loss << " at step " << train.best_step << ".\nBundle: " << options.model
            << "\n";
  return 0;
}

// What each objective learns, for --help.
std::string objectives_help() {
  std::string text = "What is learned; default: what --data was prepared for.";
  const char* after = "";
  for (const NamedObjective* objective : all_objectives()) {
    text += str(after, " ", objective->name(), ": ", objective->about());
    after = ";";
  }
  return text;
}

bool is_objective(const std::string& name) {
  return std::ranges::any_of(objectives(),
                             [&](const Objective* one) { return name == one->name(); });
}

int run_pretrain(const CLI::App& app, PretrainArguments& arguments) {
  PretrainOptions& options = arguments.options;
  if (!arguments.precision.empty())
    options.precision = to_precision(arguments.precision, to_device(options.device));
  if (options.out.empty()) options.out = options.model + "_output";
  for (RecordArguments& of_records : arguments.of_records) {
    const char* name = of_records.objective->name();
    if (arguments.objective != name) continue;
    if (!process_world().is_alone())
      throw ConfigError(
          str("--objective ", name, " runs on one rank. Fix: start it without the launcher."));
    return run_pretrain_records(app, arguments.common, options, arguments.training, of_records);
  }
  if (!arguments.objective.empty() && !is_objective(arguments.objective))
    throw ConfigError("objective", arguments.objective, all_objective_names(", ", " or "));
  return run_prepared(app, arguments);
}

}  // namespace

Command make_pretrain(CLI::App& app) {
  auto arguments = std::make_shared<PretrainArguments>();
  apply_recipe(Recipe::sequela, arguments->training.train);  // what --help shows
  CLI::App* command = app.add_subcommand(
      "pretrain", "Train a model on prepared batches, or an encoder on MEDS data");
  command->option_defaults()->always_capture_default();
  command->add_option("--objective", arguments->objective, objectives_help())
      ->type_name(all_objective_names("|"));
  command->add_option("--data", arguments->options.data, "Folder that `sequela prepare` made")
      ->type_name(kFolder);
  command
      ->add_option("--meds", arguments->options.meds,
                   "MEDS data set or meds_reader database: of mlm, and of --probe")
      ->type_name(kFolder);
  command
      ->add_option("--out", arguments->options.out, "Checkpoints and logs; default: <model>_output")
      ->type_name(kFolder);
  command->add_option("--model", arguments->options.model, "Folder for the bundle")
      ->type_name(kFolder);
  command->add_flag("--keep-output", arguments->options.keep_output,
                    "Keep checkpoints, logs and final/ after the bundle is written");
  command->add_flag("--dry-run", arguments->is_dry_run,
                    "Print the memory that training would take on 1 to 64 ranks, and end");
  add_device_option(*command, arguments->options.device);
  add_kernels_option(*command, arguments->kernels);
  add_model_options(*command, *arguments);
  add_run_options(*command, *arguments);
  add_probe_options(*command, *arguments);
  arguments->of_records = add_record_options(*command);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela pretrain --data pretraining_files --out pretraining_output --model model\n"
      "  sequela pretrain --data pretraining_files --model small --size small --max-steps 500 \\\n"
      "      --eval-every 100\n"
      "  sequela pretrain --objective mlm --meds meds --model cehrbert --values\n"
      "Defaults shown are those of --data and of --recipe sequela without --size; mlm has "
      "cehrbert's and BERT's own: 6 layers, hidden "
      "128,\n"
      "8 heads, intermediate 2048, AdamW with weight decay 0.01, beta2 0.999, epsilon 1e-8, "
      "accumulate 1.\n"
      "Stopped by Ctrl-C, SIGTERM or a crash, the same command goes on from the newest "
      "checkpoint.\n"
      "Watch it: tensorboard --logdir pretraining_output/runs");
  return {command,
          [command, arguments] { return run_pretrain(*command, *arguments); },
          {"--model"},
          &arguments->common,
          {},
          /*takes_ranks=*/true};
}

}  // namespace sequela
