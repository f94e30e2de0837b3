#include "sequela/pipeline/evaluate.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/terminal.h"

namespace sequela {
namespace {

struct EvaluateArguments {
  CommonOptions common;
  EvaluateOptions options;
  std::string time_zone = "utc";
};

int run_evaluate(const CLI::App& app, EvaluateArguments& arguments) {
  EvaluateOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  const EvaluateReport report = evaluate_predictions(options);
  if (!report.is_up_to_date) write_options(app, options.out);
  if (arguments.common.is_quiet) return 0;
  std::cout << report.text;
  if (!report.is_up_to_date) {
    std::cout << "\nEvaluated in " << duration_text(report.seconds) << ": " << options.out
              << "/metrics.csv\n";
  }
  return 0;
}

}  // namespace

Command make_evaluate(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  EvaluateOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand(
      "evaluate", "Metrics of predictions with 95 % intervals, by subgroup and between methods");
  command->option_defaults()->always_capture_default();
  command
      ->add_option("--predictions", options.predictions,
                   "Parquet in meds-evaluation's schema, each [[TASK:]METHOD=]FILE")
      ->type_name(kFile)
      ->default_str("");
  command
      ->add_option("--labels", options.labels,
                   "Outcomes (MEDS label schema) of predictions without, each [TASK=]FILE")
      ->type_name(kFile)
      ->default_str("");
  command
      ->add_option("--subgroups", options.subgroups,
                   "Parquet: subject_id, prediction_time where it matters, columns of groups")
      ->type_name(kFile);
  command->add_option("--out", options.out, "Folder for the metrics")->type_name(kFolder);
  command->add_option("--bootstraps", options.num_bootstraps, "Resamples of the subjects");
  command->add_option("--seed", options.seed, "Of the resamples");
  add_time_zone_option(*command, arguments->time_zone);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela evaluate --predictions motor=motor.parquet trees=trees.parquet --out metrics\n"
      "  sequela evaluate --predictions death:motor=a.parquet readmission:motor=b.parquet \\\n"
      "      --labels death=death_labels --subgroups sex_and_age.parquet --out metrics\n"
      "metrics.json, metrics.csv and metrics.txt hold the figures, curves.json the curves; what "
      "is\n"
      "computed: docs/evaluate.md.");
  return {command,
          [command, arguments] { return run_evaluate(*command, *arguments); },
          {"--predictions", "--out"},
          &arguments->common};
}

}  // namespace sequela
