#include "sequela/pipeline/features.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/compute_options.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/distributed/world.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"

namespace sequela {
namespace {

struct FeaturesArguments {
  CommonOptions common;
  FeaturesOptions options;
  std::string precision;
  std::string kernels = "auto";
  std::string time_zone = "utc";
  std::string read_out = to_text(ReadOut::last);
};

void print_report(const FeaturesOptions& options, const FeaturesReport& report) {
  std::cout << "Embedded " << with_thousands(report.embed.num_embedded) << " of "
            << with_thousands(report.num_labels) << " labels ("
            << with_thousands(report.embed.num_tokens) << " tokens) in "
            << duration_text(report.seconds) << ".\n";
  for (int state = 0; state < 4; ++state) {
    if (report.num_skipped[state] == 0) continue;
    std::cout << "  skipped " << with_thousands(report.num_skipped[state]) << ": "
              << to_text(static_cast<LabelState>(state)) << "\n";
  }
  if (report.cohort) {
    for (int split = 0; split < 3; ++split) {
      std::cout << "  " << kCohortSplitNames[split] << ": "
                << with_thousands(report.cohort->num_samples[split]) << " samples\n";
    }
    if (!report.cohort->missing_members.empty()) {
      std::cout << "  cohort members without features: "
                << with_thousands(static_cast<int64_t>(report.cohort->missing_members.size()))
                << " (listed in skipped.csv)\n";
    }
    if (!report.cohort->without_split.empty()) {
      std::cout << "  rows of the cohort without a split: "
                << with_thousands(static_cast<int64_t>(report.cohort->without_split.size()))
                << " (listed in skipped.csv)\n";
    }
    if (report.cohort->num_labels_outside > 0) {
      std::cout << "  embedded labels of subjects outside the cohort: "
                << with_thousands(report.cohort->num_labels_outside) << "\n";
    }
  }
  std::cout << "Features: " << options.out << "\n";
}

int run_features(const CLI::App& app, FeaturesArguments& arguments) {
  FeaturesOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.kernels = to_kernels(arguments.kernels);
  options.kernel_cache = kernel_cache_folder();
  if (!arguments.precision.empty())
    options.precision = to_precision(arguments.precision, to_device(options.device));
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  options.read_out = to_read_out(arguments.read_out);
  const FeaturesReport report = compute_features(options);
  if (report.is_up_to_date || !process_world().is_first()) return 0;
  write_options(app, options.out);
  if (!arguments.common.is_quiet) print_report(options, report);
  return 0;
}

void add_cohort_options(CLI::App& app, FeaturesOptions& options) {
  app.option_defaults()->group("Cohort");
  app.add_option(
         "--cohort", options.cohort,
         "Parquet or CSV: subject_id, dataset_split, a label; or MEDS's subject_splits.parquet")
      ->type_name(kFile);
  app.add_option(
      "--cohort-db", options.cohort_db,
      "postgresql://user@host/database; the password may come from PGPASSWORD or ~/.pgpass");
  app.add_option("--cohort-query", options.cohort_query, "Query that gives the same columns");
  app.add_option("--label-column", options.label_column,
                 "Label column of the cohort; default: the only other one");
}

}  // namespace

Command make_features(CLI::App& app) {
  auto arguments = std::make_shared<FeaturesArguments>();
  FeaturesOptions& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("features", "Embed labelled prediction times with a bundle");
  command->option_defaults()->always_capture_default();
  command->add_option("--meds", options.meds, "MEDS data set or meds_reader database")
      ->type_name(kFolder);
  command
      ->add_option(
          "--model", options.model,
          "Bundle of `sequela pretrain` or of femr: folder, or org/name[@revision] of a hub")
      ->type_name(kFolder);
  command
      ->add_option("--labels", options.labels,
                   "Labels (MEDS label schema): Parquet, CSV, or a folder of shards")
      ->type_name(kFile);
  command->add_option("--out", options.out, "Folder for the embeddings")->type_name(kFolder);
  command
      ->add_option("--athena", options.athena,
                   "Athena download or ontology.parquet, for bundles that lack an ontology")
      ->type_name(kFile);
  add_time_zone_option(*command, arguments->time_zone);
  command
      ->add_option("--precision", arguments->precision,
                   "auto = the fastest here; default: fp32 on a CPU")
      ->type_name("fp32|bf16|auto");
  command
      ->add_option("--read-out", arguments->read_out,
                   "last = the last token's state, as femr; last+history = also what the record "
                   "says, four times as wide")
      ->type_name("last|last+history");
  command->add_option("--tokens-per-batch", options.tokens_per_batch,
                      "Tokens that go through the model together");
  add_device_option(*command, options.device);
  add_kernels_option(*command, arguments->kernels);
  command->add_flag("--femr-compatible", options.is_femr_compatible,
                    "First token's time as femr writes it");
  add_cohort_options(*command, options);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela features --meds meds --model model --labels labels.parquet --out embeddings\n"
      "  sequela features --meds meds --model model --labels labels.parquet --out embeddings \\\n"
      "      --cohort-db postgresql://me@localhost/mimic \\\n"
      "      --cohort-query 'SELECT subject_id, dataset_split, sepsis_label FROM "
      "mimiciv_ext.dataset_splits'");
  return {command,
          [command, arguments] { return run_features(*command, *arguments); },
          {"--meds", "--model", "--labels", "--out"},
          &arguments->common,
          {{"--model", &options.model}},
          /*takes_ranks=*/true};
}

}  // namespace sequela
