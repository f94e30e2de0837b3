#include "sequela/pipeline/compare.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/compute_options.h"
#include "sequela/cli/terminal.h"

namespace sequela {
namespace {

struct CompareArguments {
  CommonOptions common;
  CompareOptions options;
  bool is_without_trees = false;
  std::string time_zone = "utc";
};

int run_compare(const CLI::App& app, CompareArguments& arguments) {
  CompareOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.has_trees = !arguments.is_without_trees;
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  const CompareReport report = compare(options);
  write_options(app, options.out);
  if (arguments.common.is_quiet) return 0;
  std::cout << report.text() << "\nCompared in " << duration_text(report.seconds) << ": "
            << options.out << "/compare.json\n";
  return 0;
}

void add_model_options(CLI::App& app, CompareOptions& options) {
  app.option_defaults()->group("Model and training");
  app.add_option("--visit-embed-dim", options.visit_embed_dim, "Size of a visit");
  app.add_option("--hidden", options.hidden_dim, "Width of the LSTM over visits");
  app.add_option("--layers", options.num_layers, "Layers of that LSTM");
  app.add_option("--dropout", options.dropout, "Share of the states dropped");
  app.add_option("--max-visits", options.max_visits, "Most recent visits kept");
  app.add_option("--max-codes", options.max_codes, "Codes of a visit kept");
  app.add_option("--learning-rate", options.learning_rate, "Of all but the embeddings");
  app.add_option("--embedding-learning-rate", options.embedding_learning_rate,
                 "Of pretrained embeddings that are fine-tuned");
  app.add_option("--epochs", options.epochs, "Passes over the training labels");
  app.add_option("--min-steps", options.min_steps, "Optimizer steps at least");
  app.add_option("--batch-size", options.batch_size, "Labels in a batch");
  app.add_option("--patience", options.patience,
                 "Evaluations without gain before a run ends; 0 = never");
}

}  // namespace

Command make_compare(CLI::App& app) {
  auto arguments = std::make_shared<CompareArguments>();
  CompareOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand(
      "compare", "Pretrained against random embeddings, and trees, with few labels");
  command->option_defaults()->always_capture_default();
  command->add_option("--meds", options.meds, "MEDS data set or meds_reader database")
      ->type_name(kFolder);
  command
      ->add_option("--labels", options.labels,
                   "Labels (MEDS label schema, boolean): Parquet, CSV, or a folder of shards")
      ->type_name(kFile);
  command
      ->add_option("--model", options.pretrained,
                   "Encoder, weights and vocabulary: folder, or org/name[@revision] of a hub")
      ->type_name(kFolder);
  command->add_option("--out", options.out, "Folder for the tables")->type_name(kFolder);
  command
      ->add_option("--athena", options.athena,
                   "Athena download or ontology.parquet, for codes that the vocabulary lacks")
      ->type_name(kFile);
  add_time_zone_option(*command, arguments->time_zone);
  add_device_option(*command, options.device);
  command->add_option("--seeds", options.num_seeds, "Samples of labels, each with its own start");
  command->add_option("--num-labels", options.num_labels, "Numbers of labels to learn from")
      ->delimiter(',');
  command->add_option("--seed", options.seed, "Of samples, starts and splits");
  command->add_option("--resamples", options.num_resamples, "Of the bootstrap");
  command->add_flag("--no-trees", arguments->is_without_trees, "Leave out the boosted trees");
  add_model_options(*command, options);
  add_common_options(*command, arguments->common);
  command->footer(
      "Example:\n"
      "  sequela compare --meds meds --labels labels.parquet --model cehrbert \\\n"
      "      --out comparison --seeds 5 --num-labels 32,128,512");
  return {command,
          [command, arguments] { return run_compare(*command, *arguments); },
          {"--meds", "--labels", "--model", "--out"},
          &arguments->common,
          {{"--model", &options.pretrained}}};
}

}  // namespace sequela
