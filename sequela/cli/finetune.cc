#include "sequela/pipeline/finetune.h"

#include <cmath>
#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/compute_options.h"
#include "sequela/cli/terminal.h"
#include "sequela/cli/training_options.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"

namespace sequela {
namespace {

struct FinetuneArguments {
  CommonOptions common;
  FinetuneOptions options;
  TrainingArguments training;
  std::string tune = "all";
  std::string start = "probe";
  std::string select = "loss";
  std::string precision;
  std::string kernels = "auto";
  std::string time_zone = "utc";
  bool has_gradient_checkpointing = false;
};

void print_training(const FinetuneOptions& options, const FinetuneReport& report) {
  std::cout << "Trained on " << with_thousands(report.num_train) << " labels for "
            << with_thousands(report.train.steps) << " steps in "
            << duration_text(report.train.seconds) << "; best at step " << report.train.best_step;
  if (report.num_validation > 0)
    std::cout << " (validation loss " << report.train.best_loss << " on "
              << with_thousands(report.num_validation) << " labels)";
  std::cout << ".\nBundle: " << options.out << "\n";
}

void print_predictions(const FinetuneOptions& options, const FinetuneReport& report) {
  std::cout << "Predicted " << with_thousands(report.num_predicted) << " labels";
  if (!std::isnan(report.auroc)) std::cout << ", AUROC " << report.auroc;
  std::cout << ".\nPredictions: " << options.predictions << "\n";
}

int run_finetune(const CLI::App& app, FinetuneArguments& arguments) {
  FinetuneOptions& options = arguments.options;
  take_training_options(app, arguments.training, &options.train);
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.tune = to_tuning(arguments.tune);
  options.start = to_classifier_start(arguments.start);
  options.select = to_finetune_selection(arguments.select);
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  options.kernels = to_kernels(arguments.kernels);
  options.kernel_cache = kernel_cache_folder();
  if (!arguments.precision.empty())
    options.precision = to_precision(arguments.precision, to_device(options.device));
  if (arguments.has_gradient_checkpointing) options.activations = Activations::recomputed;
  const FinetuneReport report = finetune(options);
  const bool trained = !options.labels.empty() && !report.is_up_to_date;
  if (trained && !report.train.is_finished) {
    std::cout << "Stopped at step " << report.train.steps
              << "; the same command goes on from its checkpoint.\n";
    return 0;
  }
  if (trained) write_options(app, options.out);
  if (arguments.common.is_quiet) return 0;
  if (trained) print_training(options, report);
  if (!options.predictions.empty()) print_predictions(options, report);
  return 0;
}

void add_label_options(CLI::App& app, FinetuneOptions& options) {
  app.option_defaults()->group("Labels");
  app.add_option("--labels", options.labels,
                 "To learn from (MEDS label schema, boolean_value): Parquet, CSV, or a folder of "
                 "shards; without: --model predicts as it is")
      ->type_name(kFile);
  app.add_option("--splits", options.splits,
                 "subject_id and split (train, tuning, held_out), as MEDS's "
                 "subject_splits.parquet; default: a share of the subjects validates")
      ->type_name(kFile);
  app.add_option("--val-fraction", options.val_fraction, "That share");
  app.add_option("--task", options.task, "Name of the task; default: the labels' file");
  app.add_option("--predict", options.predict,
                 "Labels to predict; default: those of --labels that are held_out")
      ->type_name(kFile);
  app.add_option("--predictions", options.predictions,
                 "Parquet of probabilities to write, in meds-evaluation's schema")
      ->type_name(kFile);
}

void add_tuning_options(CLI::App& app, FinetuneArguments& arguments) {
  app.option_defaults()->group("Training");
  FinetuneOptions& options = arguments.options;
  app.add_option(
         "--tune", arguments.tune,
         "What learns: the whole model, low-rank changes of it (LoRA), or its classifier alone")
      ->type_name("all|lora|head");
  app.add_option("--lora-rank", options.lora_rank, "Rank of these changes");
  app.add_option("--start", arguments.start,
                 "Of the classifier: a logistic probe of the states, or the prevalence")
      ->type_name("probe|prevalence");
  app.add_option("--select", arguments.select, "What picks the best checkpoint, in validation")
      ->type_name("loss|auroc");
  arguments.training.train = options.train;
  add_training_options(app, arguments.training);
  app.add_option("--tokens-per-batch", options.tokens_per_batch,
                 "Of a batch; a label's history is as long at the most, or 4096");
  app.add_option("--precision", arguments.precision,
                 "auto = the fastest here; default: fp32 on a CPU")
      ->type_name("fp32|bf16|auto");
  app.add_flag("--gradient-checkpointing", arguments.has_gradient_checkpointing,
               "About half the memory for a quarter more time; the weights are the same");
  app.add_option("--seed", options.seed, "Of the order of batches");
}

}  // namespace

Command make_finetune(CLI::App& app) {
  auto arguments = std::make_shared<FinetuneArguments>();
  FinetuneOptions& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("finetune", "Fine-tune a MOTOR bundle on labels, and predict others");
  command->option_defaults()->always_capture_default();
  command->add_option("--meds", options.meds, "MEDS data set or meds_reader database")
      ->type_name(kFolder);
  command
      ->add_option(
          "--model", options.model,
          "Bundle to start from, or fine-tuned one: folder, or org/name[@revision] of a hub")
      ->type_name(kFolder);
  command->add_option("--out", options.out, "Folder for the fine-tuned bundle")->type_name(kFolder);
  command
      ->add_option("--checkpoints", options.checkpoints,
                   "Folder of checkpoints and logs; default: <out>_output")
      ->type_name(kFolder);
  command->add_flag("--keep-output", options.keep_output,
                    "Keep checkpoints and logs after the bundle is written");
  command
      ->add_option("--athena", options.athena,
                   "Athena download or ontology.parquet, for bundles that lack an ontology")
      ->type_name(kFile);
  add_time_zone_option(*command, arguments->time_zone);
  add_device_option(*command, options.device);
  add_kernels_option(*command, arguments->kernels);
  add_label_options(*command, options);
  add_tuning_options(*command, *arguments);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela finetune --meds meds --model model --labels readmission.parquet --out tuned \\\n"
      "      --splits meds/metadata/subject_splits.parquet --predictions predictions.parquet\n"
      "  sequela finetune --meds meds --model tuned --predict others.parquet \\\n"
      "      --predictions predictions.parquet\n"
      "--eval-every 0: once an epoch. Stopped by Ctrl-C, SIGTERM or a crash, the same command "
      "goes\n"
      "on from the newest checkpoint.");
  return {command,
          [command, arguments] { return run_finetune(*command, *arguments); },
          {"--meds", "--model"},
          &arguments->common,
          {{"--model", &options.model}}};
}

}  // namespace sequela
