#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/pretrain_mlm.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/pipeline/inspect_parts.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"

namespace sequela {
namespace {

struct Arguments {
  CommonOptions common;
  PretrainOptions options;
  MlmArguments mlm;
  std::string objective = "motor";
  std::string precision;
  bool has_gradient_checkpointing = false;
};

void add_model_options(CLI::App& app, EncoderConfig& encoder) {
  app.option_defaults()->group("Model");
  app.add_option("--layers", encoder.n_layers, "12 = base, 6 = small");
  app.add_option("--hidden", encoder.hidden_size, "Width of the hidden states");
  app.add_option("--heads", encoder.n_heads, "Attention heads");
  app.add_option("--intermediate", encoder.intermediate_size, "Width of the feed-forward part");
  app.add_option("--attention-width", encoder.attention_width, "Tokens that a token attends to");
}

void add_training_options(CLI::App& app, Arguments& arguments) {
  app.option_defaults()->group("Training");
  TrainOptions& train = arguments.options.train;
  app.add_option("--learning-rate", train.learning_rate, "Peak, after the warm-up");
  app.add_option("--weight-decay", train.weight_decay, "Of matrices, embeddings, convolutions");
  app.add_option("--beta2", train.beta2, "Adam's second moment");
  app.add_option("--warmup-steps", train.warmup_steps, "Optimizer steps of linear warm-up");
  app.add_option("--epochs", train.epochs, "Passes over the data at the most");
  app.add_option("--max-steps", train.max_steps, "Optimizer steps at the most; 0 = epochs decide");
  app.add_option("--accumulate", train.accumulate, "Batches per optimizer step");
  app.add_option("--eval-every", train.eval_every, "Steps between evaluations and checkpoints");
  app.add_option("--patience", train.patience,
                 "Evaluations without gain before the end; 0 = no end");
  app.add_option("--log-every", train.log_every, "Steps between log lines");
  app.add_option("--keep-checkpoints", train.keep_checkpoints, "Newest kept, besides the best");
  app.add_option("--precision", arguments.precision,
                 "bf16, fp32 or auto = the faster one on this device");
  app.add_flag("--gradient-checkpointing", arguments.has_gradient_checkpointing,
               "About half the memory for a quarter more time; the weights are the same");
  app.add_option("--seed", arguments.options.seed, "Of weights and batch order");
}

int run_motor(const CLI::App& app, Arguments& arguments) {
  refuse_mlm_options(app);
  PretrainOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  if (arguments.has_gradient_checkpointing) options.activations = Activations::recomputed;
  const PretrainReport report = pretrain(options);
  if (report.is_up_to_date) return 0;
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

int run_pretrain(const CLI::App& app, Arguments& arguments) {
  PretrainOptions& options = arguments.options;
  if (!arguments.precision.empty())
    options.precision = to_precision(arguments.precision, to_device(options.device));
  if (options.out.empty()) options.out = options.model + "_output";
  if (arguments.objective == "motor") return run_motor(app, arguments);
  if (arguments.objective == "mlm") {
    return run_pretrain_mlm(app, arguments.common, options, arguments.mlm);
  }
  throw ConfigError("objective", arguments.objective, "motor or mlm");
}

}  // namespace

Command make_pretrain(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "pretrain", "Train a MOTOR model on prepared batches, or an encoder on MEDS data");
  command->option_defaults()->always_capture_default();
  command->add_option("--objective", arguments->objective,
                      "motor (time to event, from --data) or mlm (BERT family, from --meds)");
  command->add_option("--data", arguments->options.data, "Folder that `sequela prepare` made");
  command->add_option("--out", arguments->options.out,
                      "Checkpoints and logs; default: <model>_output");
  command->add_option("--model", arguments->options.model, "Folder for the bundle");
  command->add_flag("--keep-output", arguments->options.keep_output,
                    "Keep checkpoints, logs and final/ after the bundle is written");
  command->add_option("--device", arguments->options.device, "auto, cpu, cuda or cuda:N");
  add_model_options(*command, arguments->options.encoder);
  add_training_options(*command, *arguments);
  add_mlm_options(*command, arguments->mlm);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela pretrain --data pretraining_files --out pretraining_output --model model\n"
      "  sequela pretrain --data pretraining_files --model small --layers 6 --hidden 256 --heads 4 "
      "\\\n"
      "      --intermediate 1024 --accumulate 4 --max-steps 500 --eval-every 100\n"
      "  sequela pretrain --objective mlm --meds meds --model cehrbert --values\n"
      "Defaults shown are those of motor; mlm has cehrbert's and BERT's own: 6 layers, hidden "
      "128,\n"
      "8 heads, intermediate 2048, weight decay 0.01, beta2 0.999, accumulate 1.\n"
      "Stopped by Ctrl-C, SIGTERM or a crash, the same command goes on from the newest "
      "checkpoint.\n"
      "Watch it: tensorboard --logdir pretraining_output/runs");
  return {command,
          [command, arguments] { return run_pretrain(*command, *arguments); },
          {"--model"},
          &arguments->common};
}

}  // namespace sequela
