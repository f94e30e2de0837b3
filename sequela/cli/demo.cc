#include "sequela/pipeline/demo.h"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/terminal.h"

namespace sequela {
namespace {

void print_report(const DemoReport& report, const std::string& folder) {
  std::printf("\n%-10s %9s   %s\n", "step", "seconds", "rate");
  double total = 0;
  for (const DemoStage& stage : report.stages) {
    const double rate = stage.seconds > 0 ? stage.amount / stage.seconds : 0;
    std::printf("%-10s %9.1f   %s %s/s\n", stage.name.c_str(), stage.seconds,
                short_number(rate).c_str(), stage.unit.c_str());
    total += stage.seconds;
  }
  std::printf("%-10s %9.1f\n\n", "all", total);
  std::fflush(stdout);
  std::cout << report.results << "\nEverything is in " << folder << "; try: sequela inspect "
            << folder << "/model\nThe report: "
            << "file://" << std::filesystem::absolute(report.page).lexically_normal().string()
            << "\n";
}

}  // namespace

Command make_demo(CLI::App& app) {
  struct Arguments {
    CommonOptions common;
    DemoOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "demo", "Run everything on made-up records: from synth to the report of three tasks");
  command->option_defaults()->always_capture_default();
  command->add_option("--out", arguments->options.folder, "Folder for everything")
      ->type_name(kFolder);
  command->add_option("--subjects", arguments->options.num_subjects, "Subjects to make up");
  command->add_option("--seed", arguments->options.seed, "Of the made-up records");
  command->add_option("--max-steps", arguments->options.max_steps,
                      "Optimizer steps of pretraining");
  add_common_options(*command, arguments->common);
  command->footer("Example:\n  sequela demo --out sequela_demo");
  return {command,
          [arguments] {
            arguments->options.num_threads = arguments->common.threads();
            arguments->options.memory_bytes = arguments->common.memory_bytes();
            print_report(demo(arguments->options), arguments->options.folder);
            return 0;
          },
          {},
          &arguments->common};
}

}  // namespace sequela
