#include "sequela/pipeline/inspect.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/pipeline/machine.h"

namespace sequela {

Command make_inspect(CLI::App& app) {
  struct Arguments {
    CommonOptions common;
    std::string path;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "inspect",
      "Say what an artifact holds; without one, what this machine computes with and how fast");
  command
      ->add_option("path,--path", arguments->path,
                   "A data set, a folder that Sequela or femr made, a file in it, or "
                   "org/name[@revision] of a hub; none: the machine")
      ->type_name(kFile);
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela inspect\n"
      "  sequela inspect pretraining_files\n"
      "  sequela inspect model\n"
      "  sequela inspect embeddings/features.parquet");
  return {command,
          [arguments] {
            std::cout << (arguments->path.empty() ? machine_text(arguments->common.threads())
                                                  : inspect(arguments->path));
            return 0;
          },
          {},
          &arguments->common,
          {{"--path", &arguments->path}}};
}

}  // namespace sequela
