#include "sequela/synth/synth.h"

#include <chrono>
#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"

namespace sequela {

Command make_synth(CLI::App& app) {
  struct Arguments {
    CommonOptions common;
    SynthOptions options;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("synth", "Make up a realistic data set with a known truth");
  command->option_defaults()->always_capture_default();
  command->add_option("--subjects", arguments->options.num_subjects, "Number of subjects");
  command->add_option("--seed", arguments->options.seed, "The same seed gives the same data");
  command->add_flag("--flares", arguments->options.has_flares,
                    "Also a code, LOCAL/flare, whose coming only the order and spacing of visits "
                    "tell, and labels "
                    "of it");
  command->add_option("--out", arguments->options.folder, "Folder for the data set")
      ->type_name(kFolder);
  add_common_options(*command, arguments->common);
  command->footer(
      "Example:\n"
      "  sequela synth --subjects 20000 --seed 1 --out synth\n"
      "Makes synth/meds, synth/athena, synth/labels.parquet, synth/labels/ and synth/truth/.");
  return {command,
          [command, arguments] {
            const auto start = std::chrono::steady_clock::now();
            arguments->options.num_threads = arguments->common.threads();
            arguments->options.memory_bytes = arguments->common.memory_bytes();
            const SynthReport report = synth(arguments->options);
            const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
            write_options(*command, arguments->options.folder);
            if (arguments->common.is_quiet) return 0;
            std::cout << "Made " << with_thousands(report.num_events) << " events of "
                      << with_thousands(report.num_subjects) << " subjects in "
                      << duration_text(elapsed.count()) << " ("
                      << short_number(static_cast<double>(report.num_events) / elapsed.count())
                      << " events/s): " << arguments->options.folder << "\n";
            return 0;
          },
          {"--out"},
          &arguments->common};
}

}  // namespace sequela
