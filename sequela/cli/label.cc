#include "sequela/pipeline/label.h"

#include <iomanip>
#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"

namespace sequela {
namespace {

struct LabelArguments {
  CommonOptions common;
  LabelOptions options;
  std::string time_zone = "utc";
  std::string print_task;
  bool is_aces_exact = false;
};

void print_step(const CohortStep& step) {
  std::cout << "  " << std::left << std::setw(24) << step.name << with_thousands(step.before)
            << " -> " << with_thousands(step.after) << " " << step.unit;
  const char* before = ": ";
  for (const CohortStep::Loss& loss : step.losses) {
    if (loss.count == 0) continue;
    std::cout << before << loss.why << " (" << with_thousands(loss.count) << ")";
    before = "; ";
  }
  std::cout << "\n";
}

void print_report(const LabelOptions& options, const LabelReport& report) {
  for (const CohortStep& step : report.steps) print_step(step);
  if (!report.emptied_by.empty()) std::cout << "No labels: " << report.emptied_by << ".\n";
  std::cout << "Made " << with_thousands(report.num_labels) << " labels of "
            << with_thousands(report.num_subjects) << " subjects";
  if (report.num_true + report.num_false > 0) {
    std::cout << ", " << with_thousands(report.num_true) << " true";
  }
  std::cout << ", from " << with_thousands(report.num_events) << " events in "
            << duration_text(report.seconds) << ": " << options.out << "\n";
}

int run_label(const CLI::App& app, LabelArguments& arguments) {
  if (!arguments.print_task.empty()) {
    std::cout << task_text(arguments.print_task);
    return 0;
  }
  LabelOptions& options = arguments.options;
  options.num_threads = arguments.common.threads();
  options.memory_bytes = arguments.common.memory_bytes();
  options.fingerprint_cache = arguments.common.fingerprint_cache();
  options.zone_rule = parse_zone_rule(arguments.time_zone);
  options.mode = arguments.is_aces_exact ? AcesMode::exact : AcesMode::documented;
  const LabelReport report = make_labels(options);
  if (report.is_up_to_date) return 0;
  write_options(app, options.out);
  if (!arguments.common.is_quiet) print_report(options, report);
  return 0;
}

}  // namespace

Command make_label(CLI::App& app) {
  auto arguments = std::make_shared<LabelArguments>();
  LabelOptions& options = arguments->options;
  CLI::App* command =
      app.add_subcommand("label", "Find a task's cohort in records and label it (ACES's language)");
  command->option_defaults()->always_capture_default();
  command->add_option("--meds", options.meds, "MEDS data set or meds_reader database")
      ->type_name(kFolder);
  command
      ->add_option("--task", options.task,
                   "YAML file, or mortality_in_hospital, readmission_30d, icu_transfer, long_stay, "
                   "abnormal_lab, first_onset:CODES")
      ->type_name(kFile);
  command->add_option("--out", options.out, "Folder for the labels")->type_name(kFolder);
  command
      ->add_option("--predicates", options.predicates,
                   "YAML file with predicates that replace the task's of the same name")
      ->type_name(kFile);
  command
      ->add_option("--athena", options.athena,
                   "Athena download or ontology.parquet, for codes `under` a concept; default: the "
                   "data set's codes.parquet")
      ->type_name(kFile);
  command->add_flag("--aces-exact", arguments->is_aces_exact,
                    "As ACES's program, also where it is not what its documentation says");
  command->add_option("--print-task", arguments->print_task,
                      "Print the YAML of a built-in task, and do nothing else");
  add_time_zone_option(*command, arguments->time_zone);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela label --meds meds --task task.yaml --out labels\n"
      "  sequela label --meds meds --task readmission_30d --out labels\n"
      "  sequela label --print-task readmission_30d > task.yaml\n"
      "Labels are Parquet files in MEDS's label schema, named as the data's; cohort.json counts "
      "who "
      "fell out where.");
  return {command,
          [command, arguments] { return run_label(*command, *arguments); },
          {},
          &arguments->common};
}

}  // namespace sequela
