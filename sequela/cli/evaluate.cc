#include "sequela/pipeline/evaluate.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/compute_options.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/precision.h"

namespace sequela {
namespace {

struct EvaluateArguments {
  CommonOptions common;
  EvaluateMethodsOptions options;
  std::string time_zone = "utc";
  std::string read_out = to_text(ReadOut::last_and_history);
  std::string leaks = to_text(LeakRule::warn);
  std::string kernels = "auto";
  std::string precision;
  bool is_without_few_shot = false;
};

// Options that say something of records.
constexpr const char* kOfRecords[] = {"--task",       "--model",         "--encoder",  "--methods",
                                      "--splits",     "--hazard",        "--athena",   "--shots",
                                      "--max-labels", "--subgroup-code", "--horizons", "--read-out",
                                      "--draws",      "--no-few-shot",   "--leaks"};

EvaluateReport evaluate(const CLI::App& app, EvaluateArguments& arguments) {
  EvaluateMethodsOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  if (options.meds.empty()) {
    for (const char* name : kOfRecords) {
      if (app.get_option(name)->count() > 0)
        throw ConfigError(str(name, " needs records. Fix: give --meds, too."));
    }
    return evaluate_predictions(options);
  }
  options.read_out = to_read_out(arguments.read_out);
  options.leaks = to_leak_rule(arguments.leaks);
  options.kernels = to_kernels(arguments.kernels);
  options.kernel_cache = kernel_cache_folder();
  if (!arguments.precision.empty())
    options.precision = to_precision(arguments.precision, to_device(options.device));
  if (arguments.is_without_few_shot) options.shots.clear();
  return evaluate_methods(options);
}

int run_evaluate(const CLI::App& app, EvaluateArguments& arguments) {
  const EvaluateReport report = evaluate(app, arguments);
  const std::string& out = arguments.options.out;
  if (!report.is_up_to_date) write_options(app, out);
  if (arguments.common.is_quiet) return 0;
  std::cout << report.text;
  if (!report.is_up_to_date) {
    std::cout << "\nEvaluated in " << duration_text(report.seconds) << ": " << out
              << "/metrics.csv, " << out << "/report.html\n";
  }
  return 0;
}

void add_task_options(CLI::App& app, EvaluateMethodsOptions& options) {
  app.option_defaults()->group("Tasks");
  app.add_option("--predictions", options.predictions,
                 "Parquet in meds-evaluation's schema, each [[TASK:]METHOD=]FILE")
      ->type_name(kFile)
      ->default_str("");
  app.add_option("--labels", options.labels,
                 "Tasks (MEDS label schema), each [TASK=]FILE; without --meds the outcomes of "
                 "predictions that have none")
      ->type_name(kFile)
      ->default_str("");
  app.add_option("--task", options.tasks,
                 "Tasks whose labels are made: a built-in name or a YAML file, as in `sequela "
                 "label`")
      ->default_str("");
  app.add_option("--splits", options.splits,
                 "Parquet: subject_id, split (train, tuning, held_out), prediction_time if single "
                 "labels are dealt; default: the data set's own")
      ->type_name(kFile);
  app.add_option("--max-labels", options.max_labels, "Labels of a task and part; 0 = all");
  app.add_option("--subgroups", options.subgroups,
                 "Parquet: subject_id, prediction_time where it matters, columns of groups; "
                 "default: sex and age by the records")
      ->type_name(kFile);
  app.add_option("--subgroup-code", options.subgroup_codes,
                 "Codes; whether a history has one (or one below it) makes subgroups")
      ->default_str("");
}

void add_method_options(CLI::App& app, EvaluateArguments& arguments) {
  app.option_defaults()->group("Methods");
  EvaluateMethodsOptions& options = arguments.options;
  app.add_option("--meds", options.meds, "MEDS data set or meds_reader database")
      ->type_name(kFolder);
  app.add_option("--model", options.model, "MOTOR bundle: folder, or org/name[@revision] of a hub")
      ->type_name(kFolder);
  app.add_option("--methods", options.methods,
                 "What is compared; default: all but finetune and lora")
      ->type_name(
          "probe|finetune|lora|hazards|random|encoder|counts_trees|counts_logistic|"
          "code_vectors|age_sex")
      ->default_str("");
  app.add_option("--encoder", options.encoders, "Folders of the BERT family, each [NAME=]FOLDER")
      ->type_name(kFolder)
      ->default_str("");
  app.add_option("--hazard", options.hazards,
                 "Whose hazard answers a task, and up to when, each [TASK=]CODE[@DAYS]")
      ->default_str("");
  app.add_option("--horizons", options.horizons, "Days, of times to an event")->delimiter(',');
  app.add_option("--athena", options.athena,
                 "Athena download or ontology.parquet: ancestors of codes; default: the bundle's")
      ->type_name(kFile);
  app.add_option("--read-out", arguments.read_out, "Of the bundle's embeddings")
      ->type_name("last|last+history");
  app.add_option("--shots", options.shots,
                 "Labels of each outcome to learn from, for the few-shot curves")
      ->delimiter(',');
  app.add_option("--draws", options.num_draws, "Draws of so few labels");
  app.add_flag("--no-few-shot", arguments.is_without_few_shot, "Leave out the few-shot curves");
  app.add_option("--leaks", arguments.leaks, "What a leak that is found leads to")
      ->type_name("warn|fail|off");
  app.add_option("--precision", arguments.precision,
                 "auto = the fastest here; default: fp32 on a CPU")
      ->type_name("fp32|bf16|auto");
  app.add_option("--tokens-per-batch", options.tokens_per_batch,
                 "Tokens that go through the model together");
  add_device_option(app, options.device);
  add_kernels_option(app, arguments.kernels);
}

}  // namespace

Command make_evaluate(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  EvaluateMethodsOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand(
      "evaluate", "Methods side by side on one cohort: metrics with 95 % intervals, by subgroup");
  command->option_defaults()->always_capture_default();
  command->add_option("--out", options.out, "Folder for the metrics")->type_name(kFolder);
  command->add_option("--bootstraps", options.num_bootstraps, "Resamples of the subjects");
  command->add_option("--seed", options.seed, "Of resamples, draws and starts");
  add_time_zone_option(*command, arguments->time_zone);
  add_task_options(*command, options);
  add_method_options(*command, *arguments);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela evaluate --meds meds --model model --labels readmission.parquet --out evaluation\n"
      "  sequela evaluate --meds meds --model model --task mortality_in_hospital --methods probe "
      "\\\n"
      "      counts_trees finetune --predictions theirs=theirs.parquet --out evaluation\n"
      "  sequela evaluate --predictions motor=motor.parquet trees=trees.parquet --out metrics\n"
      "  sequela evaluate --predictions death:motor=a.parquet readmission:motor=b.parquet \\\n"
      "      --labels death=death_labels --subgroups sex_and_age.parquet --out metrics\n"
      "metrics.json, metrics.csv and metrics.txt hold the figures, curves.json the curves, "
      "evaluation.json\n"
      "all of it; what is computed: docs/evaluate.md.");
  return {command,
          [command, arguments] { return run_evaluate(*command, *arguments); },
          {"--out"},
          &arguments->common,
          {{"--model", &options.model}}};
}

}  // namespace sequela
