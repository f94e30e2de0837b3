#include "sequela/cli/command_facts.h"

#include <sstream>

namespace sequela {
namespace {

std::vector<std::string> choices_in(const std::string& type_name) {
  std::vector<std::string> choices;
  if (type_name.find('|') == std::string::npos) return choices;
  std::istringstream text(type_name);
  for (std::string choice; std::getline(text, choice, '|');) choices.push_back(choice);
  return choices;
}

OptionFacts option_facts(const CLI::Option& option) {
  OptionFacts facts;
  for (const std::string& name : option.get_snames()) facts.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) facts.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) facts.value = option.get_type_name();
  facts.choices = choices_in(facts.value);
  facts.help = option.get_description();
  facts.default_value = option.get_default_str();
  facts.group = option.get_group();
  facts.may_repeat = option.get_items_expected_max() > 1;
  return facts;
}

}  // namespace

CommandFacts facts_of(const CLI::App& app) {
  CommandFacts facts{app.get_name(), app.get_description(), {}, {}, app.get_footer()};
  for (const CLI::Option* option : app.get_options()) {
    OptionFacts of_option = option_facts(*option);
    if (!of_option.names.empty()) facts.options.push_back(of_option);
    if (!option->get_positional()) continue;
    of_option.positional = option->get_name(true);
    of_option.names.clear();
    facts.positionals.push_back(of_option);
  }
  return facts;
}

std::vector<CommandFacts> commands_of(const CLI::App& app) {
  std::vector<CommandFacts> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(facts_of(*command));
  }
  return commands;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 < names.size() ? ", " : " or ";
    text += names[i];
  }
  return text;
}

}  // namespace sequela
