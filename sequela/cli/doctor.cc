#include "sequela/pipeline/doctor.h"

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"

namespace sequela {

Command make_doctor(CLI::App& app) {
  struct Arguments {
    CommonOptions common;
    bool is_json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "doctor", "Check this machine's devices: kernels, rates, memory, and what is missing");
  command->add_flag("--json", arguments->is_json, "The report as JSON");
  add_common_options(*command, arguments->common);
  command->footer(
      "Examples:\n"
      "  sequela doctor\n"
      "  sequela doctor --json | jq .is_well\n"
      "Exit code 0 if every own kernel computes what torch's operations do, else 1.");
  return {command,
          [arguments] {
            const DoctorReport report = examine_machine(arguments->common.threads());
            std::cout << (arguments->is_json ? to_json_text(report) : to_text(report));
            return report.is_well() ? 0 : 1;
          },
          {},
          &arguments->common};
}

}  // namespace sequela
