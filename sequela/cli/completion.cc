#include "sequela/cli/completion.h"

#include <map>

#include "sequela/cli/command_facts.h"
#include "sequela/core/error.h"

namespace sequela {
namespace {

std::string joined(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

std::vector<std::string> names_of(const std::vector<CommandFacts>& commands) {
  std::vector<std::string> names;
  for (const CommandFacts& command : commands) names.push_back(command.name);
  return names;
}

std::vector<std::string> names_of(const CommandFacts& command) {
  std::vector<std::string> names;
  for (const OptionFacts& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

// `text` with a backslash before each of `special`; a single quote as the shells take it.
std::string escaped(const std::string& text, const std::string& special,
                    const std::string& single_quote) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) out += '\\';
    out += c == '\'' ? single_quote : std::string(1, c);
  }
  return out;
}

// bash: a function that fills COMPREPLY, with nothing but bash's own commands.

std::string bash_action(const OptionFacts& option) {
  if (option.value == kFolder) return "_sequela_paths -d \"$current\"";
  if (option.value == kFile) return "_sequela_paths -f \"$current\"";
  if (option.choices.empty()) return ":";
  return "_sequela_words \"" + joined(option.choices, " ") + "\" \"$current\"";
}

std::string bash_case(const CommandFacts& command) {
  std::map<std::string, std::vector<std::string>> options_by_action;
  for (const OptionFacts& option : command.options) {
    if (option.value.empty()) continue;
    auto& names = options_by_action[bash_action(option)];
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  std::string text = "    " + command.name + ")\n      case $option in\n";
  for (const auto& [action, names] : options_by_action) {
    text += "        " + joined(names, " | ") + ") " + action + "; return ;;\n";
  }
  text += "      esac\n      options=\"" + joined(names_of(command), " ") + "\"\n";
  if (!command.positionals.empty()) {
    text +=
        "      [[ $current == -* ]] || { " + bash_action(command.positionals[0]) + "; return; }\n";
  }
  return text + "      ;;\n";
}

std::string bash_script(const CLI::App& program) {
  const std::vector<CommandFacts> commands = commands_of(program);
  std::string text = R"(# bash completion of sequela, made by `sequela completion bash`

_sequela_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

_sequela_paths() {
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
  compopt -o filenames 2> /dev/null
}

_sequela() {
  local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} options=""
  # bash takes --option=value as three words.
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $option == "=" ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _sequela_words ")" +
                     joined(names_of(commands), " ") + " " +
                     joined(names_of(facts_of(program)), " ") + R"(" "$current"
    return
  fi
  case ${COMP_WORDS[1]} in
)";
  for (const CommandFacts& command : commands) text += bash_case(command);
  return text + R"(  esac
  _sequela_words "$options" "$current"
}

complete -F _sequela sequela
)";
}

// zsh: a function of the new completion system.

std::string zsh_action(const OptionFacts& option) {
  if (option.value == kFolder) return "_files -/";
  if (option.value == kFile) return "_files";
  return option.choices.empty() ? "" : "(" + joined(option.choices, " ") + ")";
}

std::string zsh_value(const OptionFacts& option) {
  const std::string name = option.choices.empty() ? option.value : "value";
  return ":" + name + ":" + zsh_action(option);
}

std::string zsh_option(const OptionFacts& option) {
  const std::string help = "[" + escaped(option.help, "\\[]:", "'\\''") + "]";
  const std::string value = option.value.empty() ? "" : zsh_value(option);
  std::string text;
  for (const std::string& name : option.names) {
    const std::string others = option.may_repeat ? "*" : "(" + joined(option.names, " ") + ")";
    const bool has_equals = !value.empty() && name.starts_with("--");
    text += " \\\n        '" + others + name + (has_equals ? "=" : "") + help + value + "'";
  }
  return text;
}

std::string zsh_arguments(const CommandFacts& command) {
  std::string text = "_arguments -s";
  for (const OptionFacts& option : command.options) text += zsh_option(option);
  for (size_t i = 0; i < command.positionals.size(); ++i) {
    text += " \\\n        '" + str(i + 1, ":") + zsh_value(command.positionals[i]) + "'";
  }
  return text;
}

std::string zsh_script(const CLI::App& program) {
  std::string text = R"(#compdef sequela
# zsh completion of sequela, made by `sequela completion zsh`

_sequela() {
  local state
  local -a commands
  commands=()";
  const std::vector<CommandFacts> commands = commands_of(program);
  for (const CommandFacts& command : commands) {
    text += "\n    '" + command.name + ":" + escaped(command.help, "\\:", "'\\''") + "'";
  }
  text += "\n  )\n  _arguments -C";
  for (const OptionFacts& option : facts_of(program).options) text += zsh_option(option);
  text += R"( \
        '1: :->command' '*:: :->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
)";
  for (const CommandFacts& command : commands) {
    text += "      " + command.name + ")\n        " + zsh_arguments(command) + " ;;\n";
  }
  return text + R"(      esac ;;
  esac
}

# As a file of $fpath this is the function's body; sourced, it says whose function it is.
if [[ $funcstack[1] == _sequela ]]; then
  _sequela "$@"
else
  compdef _sequela sequela
fi
)";
}

// fish: one `complete` for each command, option and argument.

std::string fish_value(const OptionFacts& option) {
  if (option.value == kFile) return " -r -F";
  if (option.value == kFolder) return " -x -a '(__fish_complete_directories)'";
  if (option.choices.empty()) return " -x";
  return " -x -a '" + joined(option.choices, " ") + "'";
}

std::string fish_option(const std::string& condition, const OptionFacts& option) {
  std::string text = "complete -c sequela -n '" + condition + "'";
  for (const std::string& name : option.names) {
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.value.empty()) text += fish_value(option);
  return text + " -d '" + escaped(option.help, "\\", "\\'") + "'\n";
}

std::string fish_script(const CLI::App& program) {
  std::string text =
      "# fish completion of sequela, made by `sequela completion fish`\n\ncomplete -c sequela -f\n";
  for (const OptionFacts& option : facts_of(program).options) {
    text += fish_option("__fish_use_subcommand", option);
  }
  for (const CommandFacts& command : commands_of(program)) {
    text += "\ncomplete -c sequela -n __fish_use_subcommand -a " + command.name + " -d '" +
            escaped(command.help, "\\", "\\'") + "'\n";
    const std::string condition = "__fish_seen_subcommand_from " + command.name;
    for (const OptionFacts& option : command.options) text += fish_option(condition, option);
    for (const OptionFacts& argument : command.positionals) {
      const std::string value =
          argument.value == kFile ? " -F" : " -a '" + joined(argument.choices, " ") + "'";
      text += "complete -c sequela -n '" + condition + "'" + value + "\n";
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& program, const std::string& shell) {
  if (shell == "bash") return bash_script(program);
  if (shell == "zsh") return zsh_script(program);
  if (shell == "fish") return fish_script(program);
  throw ConfigError("shell", shell, listed(kShells));
}

}  // namespace sequela
