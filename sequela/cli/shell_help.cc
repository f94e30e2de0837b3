// `sequela completion` and `sequela man`: what the options say, for shells and for man.

#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/command_facts.h"
#include "sequela/cli/completion.h"
#include "sequela/cli/man_page.h"

namespace sequela {

Command make_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "completion", "Print a script by which a shell completes commands and options");
  command->add_option("shell", *shell, "Shell to write for")->type_name("bash|zsh|fish");
  command->footer(
      "Examples:\n"
      "  source <(sequela completion bash)\n"
      "  sequela completion zsh > \"${fpath[1]}/_sequela\"\n"
      "  sequela completion fish > ~/.config/fish/completions/sequela.fish");
  return {command,
          [&app, shell] {
            std::cout << completion_script(app, *shell);
            return 0;
          },
          {"shell"}};
}

Command make_man(CLI::App& app) {
  struct Arguments {
    std::string command, out;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("man", "Print a manual page, of a command or of all");
  std::string names;
  for (const CommandFacts& known : commands_of(app))
    names += (names.empty() ? "" : "|") + known.name;
  command->add_option("command", arguments->command, "Command to tell of; none: the program")
      ->type_name(names);
  command->add_option("--out", arguments->out, "Write all pages into this folder instead")
      ->type_name(kFolder);
  command->footer(
      "Examples:\n"
      "  sequela man prepare | man -l -\n"
      "  sequela man --out ~/.local/share/man/man1");
  return {command,
          [&app, arguments] {
            if (arguments->out.empty()) {
              std::cout << man_page(app, arguments->command);
            } else {
              write_man_pages(app, arguments->out);
            }
            return 0;
          },
          {}};
}

}  // namespace sequela
