#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/terminal.h"
#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/meds/check_dataset.h"

namespace sequela {
namespace {

constexpr int kExitFaulty = 3;

struct CheckArguments {
  CommonOptions common;
  std::string what, path;
};

void print_findings(const MedsCheck& check) {
  for (const MedsFinding& finding : check.findings) {
    std::cout << (finding.is_fault ? "fault: " : "look:  ") << finding.what << " ("
              << with_thousands(finding.count) << ")";
    const char* before = ": ";
    for (const std::string& place : finding.places) {
      std::cout << before << place;
      before = ", ";
    }
    std::cout << "\n";
  }
}

int run_check(const CheckArguments& arguments) {
  if (arguments.what != "meds") throw ConfigError("what", arguments.what, "meds");
  const MedsCheck check = check_meds(arguments.path, arguments.common.threads());
  print_findings(check);
  std::cout << with_thousands(check.num_events) << " events of "
            << with_thousands(check.num_subjects) << " subjects, "
            << with_thousands(check.num_codes) << " codes, in " << with_thousands(check.num_shards)
            << " files: " << (check.is_sound() ? "as MEDS has it" : "not as MEDS has it") << "\n";
  return check.is_sound() ? 0 : kExitFaulty;
}

}  // namespace

Command make_check(CLI::App& app) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command = app.add_subcommand("check", "Look a MEDS data set through, whoever wrote it");
  command->add_option("what,--what", arguments->what, "What is checked")->type_name("meds");
  command->add_option("path,--path", arguments->path, "Its folder")->type_name(kFolder);
  add_common_options(*command, arguments->common);
  command->footer(
      "Example:\n"
      "  sequela check meds my_meds\n"
      "Ends with 3 if something is against MEDS' schema.");
  return {command,
          [arguments] { return run_check(*arguments); },
          {"--what", "--path"},
          &arguments->common};
}

}  // namespace sequela
