#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/hub_python.h"
#include "sequela/core/json.h"

namespace sequela {
namespace {

struct PushArguments {
  CommonOptions common;
  std::string model;
  std::string name;
  std::string revision = "main";
  std::string message = "Model by sequela";
  bool is_public = false;
};

int run_push(const PushArguments& arguments) {
  std::vector<std::string> command = {"push", "--revision", arguments.revision, "--message",
                                      arguments.message};
  if (arguments.is_public) command.push_back("--public");
  if (arguments.common.is_quiet) command.push_back("--quiet");
  command.insert(command.end(), {"--", arguments.model, arguments.name});
  const Json report = parse_json(ask_hub(command, arguments.name), "the answer of sequela.hub");
  if (arguments.common.is_quiet) return 0;
  std::cout << "Sent to " << arguments.name
            << (report.value("is_private", false) ? " (private)" : " (public)") << ", commit "
            << report.value("commit", "") << ":\n";
  for (const Json& file : report.value("files", Json::array())) {
    std::cout << "  " << file.get<std::string>() << "\n";
  }
  std::cout << report.value("url", "") << "\n";
  return 0;
}

}  // namespace

Command make_push(CLI::App& app) {
  auto arguments = std::make_shared<PushArguments>();
  CLI::App* command = app.add_subcommand(
      "push", "Send a bundle or an encoder with its model card, and nothing else, to a hub");
  command->option_defaults()->always_capture_default();
  command
      ->add_option("model,--model", arguments->model,
                   "Folder; its README.md is the model card, without one a card is made")
      ->type_name(kFolder);
  command->add_option("name,--name", arguments->name, "org/name, made if there is none");
  command->add_option("--revision", arguments->revision, "Branch to send to");
  command->add_option("--message", arguments->message, "Of the commit");
  command->add_flag("--public", arguments->is_public,
                    "A new repository is public; without it private, and public ones are left");
  add_common_options(*command, arguments->common);
  command->footer(
      "Example:\n"
      "  sequela push model my-org/motor\n"
      "Log in first (`hf auth login`) or set HF_TOKEN; HF_ENDPOINT names another hub.");
  return {command,
          [arguments] { return run_push(*arguments); },
          {"--model", "--name"},
          &arguments->common};
}

}  // namespace sequela
