#include "sequela/pipeline/report.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"

namespace sequela {

Command make_report(CLI::App& app) {
  struct Arguments {
    CommonOptions common;
    ReportOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  ReportOptions& options = arguments->options;
  CLI::App* command = app.add_subcommand(
      "report", "Make one HTML page of finished runs: tables, figures, manifest");
  command->option_defaults()->always_capture_default();
  command
      ->add_option("runs", options.runs,
                   "Folders that evaluate, pretrain, finetune, prepare, compare, label or etl made")
      ->type_name(kFolder)
      ->default_str("");
  command->add_option("--out", options.out, "The page; default: report.html in the first folder")
      ->type_name(kFile);
  command->option_defaults()->group("A patient's timeline");
  command
      ->add_option("--patient", options.patient,
                   "subject_id of a patient whose codes, ages and risks the page shows")
      ->type_name("ID");
  command->add_option("--meds", options.meds, "The patient's MEDS data set")->type_name(kFolder);
  command
      ->add_option("--model", options.model,
                   "Bundle of `sequela pretrain`: its hazards are shown, or org/name[@revision]")
      ->type_name(kFolder);
  command->add_option("--task", options.tasks,
                      "Code of a task of the model; may be repeated; default: the five likeliest");
  command->add_option("--horizon", options.horizon_days,
                      "Days within which the risk is that the event happens");
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela report metrics\n"
      "  sequela report metrics labels pretraining_files pretraining_output model --out "
      "report.html\n"
      "The page is one file: it needs no network, and opens in any browser. Several runs make one "
      "page.");
  return {command,
          [arguments] {
            arguments->options.num_threads = arguments->common.threads();
            arguments->options.memory_bytes = arguments->common.memory_bytes();
            std::cout << report(arguments->options) << "\n";
            return 0;
          },
          {},
          &arguments->common,
          {{"--model", &options.model}}};
}

}  // namespace sequela
