#include "sequela/cli/man_page.h"

#include <filesystem>
#include <sstream>

#include "sequela/cli/command_facts.h"
#include "sequela/core/error.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

const char* const kExitStatus = R"(.SH EXIT STATUS
.TP
.B 0
Done; also a training run that was stopped by a signal and wrote its checkpoint.
.TP
.B 2
Wrong usage: an option, a value or a configuration file.
.TP
.B 3
Bad data.
.TP
.B 4
A missing or corrupt model or other file.
.TP
.B 5
Too little disk or memory.
.TP
.B 128 + signal
Stopped by that signal.
.TP
.B 1
Anything else.
)";

const char* const kEnvironment = R"(.SH ENVIRONMENT
.TP
.B SEQUELA_ISA
Limits the CPU kernels: portable, avx2, avx2_vnni, avx512 or avx512_bf16.
.TP
.BR AWS_ACCESS_KEY_ID ", " AWS_SECRET_ACCESS_KEY
Keys of a bucket that records are read from, as other programs of AWS take them.
.TP
.B PGPASSWORD
The password of the database of a cohort.
)";

// `text` as roff shows it, whatever letters it holds.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (out.empty() || out.back() == '\n') {
      if (c == '.' || c == '\'') out += "\\&";
    }
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '\'':
        out += "\\(aq";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string bold(const std::string& text) {
  return "\\fB" + roff(text) + "\\fR";
}

// What stands for a value: a word to replace is slanted, words to choose from are bold.
std::string value_text(const OptionFacts& option) {
  if (option.choices.empty()) return "\\fI" + roff(option.value) + "\\fR";
  std::string text;
  for (const std::string& choice : option.choices) text += (text.empty() ? "" : "|") + bold(choice);
  return text;
}

std::string option_text(const OptionFacts& option) {
  std::string text;
  for (const std::string& name : option.names) text += (text.empty() ? "" : ", ") + bold(name);
  if (!option.positional.empty()) text = "\\fI" + roff(option.positional) + "\\fR";
  if (!option.value.empty()) text += " " + value_text(option);
  text = ".TP\n" + text + "\n" + roff(option.help);
  if (!option.value.empty() && !option.default_value.empty() && option.default_value != "[]") {
    text += ".\nDefault: " + roff(option.default_value);
  }
  return text + ".\n";
}

// Options under the headings of --help, in the order of their first option.
std::string options_text(const CommandFacts& command) {
  std::string text = ".SH OPTIONS\n";
  for (const OptionFacts& argument : command.positionals) text += option_text(argument);
  std::string group = "Options";
  for (const OptionFacts& option : command.options) {
    if (option.group != group) text += ".SS " + roff(option.group) + "\n";
    group = option.group;
    text += option_text(option);
  }
  return text;
}

// A footer is a heading, indented examples, and sentences.
std::string footer_text(const std::string& footer) {
  std::istringstream lines(footer);
  std::string text, prose;
  bool is_example = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Example")) continue;
    if (line.starts_with("  ")) {
      if (!is_example) text += ".EX\n";
      is_example = true;
      text += roff(line.substr(2)) + "\n";
    } else {
      prose += roff(line) + "\n";
    }
  }
  if (is_example) text += ".EE\n";
  return (text.empty() ? "" : ".SH EXAMPLES\n" + text) +
         (prose.empty() ? "" : ".SH NOTES\n" + prose);
}

std::string see_also(const std::vector<CommandFacts>& commands, const std::string& page) {
  std::vector<std::string> pages;
  if (page != "sequela") pages.push_back("sequela");
  for (const CommandFacts& command : commands) {
    if ("sequela-" + command.name != page) pages.push_back("sequela-" + command.name);
  }
  std::string text = ".SH SEE ALSO\n";
  for (size_t i = 0; i < pages.size(); ++i) {
    text += ".BR " + roff(pages[i]) + " (1)" + (i + 1 < pages.size() ? ",\n" : "\n");
  }
  return text;
}

std::string upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string head(const std::string& page, const std::string& help) {
  return ".\\\" Made by `sequela man`.\n.TH " + roff(upper_case(page)) +
         " 1 \"\" \"sequela " SEQUELA_VERSION "\" \"Sequela\"\n.SH NAME\n" + roff(page) + " \\- " +
         roff(help) + "\n";
}

std::string program_page(const CommandFacts& program, const std::vector<CommandFacts>& commands) {
  std::string text = head("sequela", "foundation models for electronic health records") +
                     ".SH SYNOPSIS\n.B sequela\n\\fICOMMAND\\fR [\\fIOPTION\\fR ...]\n" +
                     ".SH DESCRIPTION\n" + roff(program.help) + "\n.SH COMMANDS\n";
  for (const CommandFacts& command : commands) {
    text += ".TP\n.B " + roff(command.name) + "\n" + roff(command.help) + ".\n";
  }
  return text + options_text(program) + kExitStatus + kEnvironment + see_also(commands, "sequela");
}

std::string command_page(const CommandFacts& command, const std::vector<CommandFacts>& commands) {
  const std::string page = "sequela-" + command.name;
  std::string arguments = "[\\fIOPTION\\fR ...]";
  for (const OptionFacts& argument : command.positionals) {
    arguments += " [\\fI" + roff(argument.positional) + "\\fR]";
  }
  return head(page, command.help) + ".SH SYNOPSIS\n.B sequela " + roff(command.name) + "\n" +
         arguments + "\n" + options_text(command) + footer_text(command.footer) + kExitStatus +
         see_also(commands, page);
}

}  // namespace

std::string man_page(const CLI::App& program, const std::string& name) {
  const std::vector<CommandFacts> commands = commands_of(program);
  if (name.empty()) return program_page(facts_of(program), commands);
  std::vector<std::string> names;
  for (const CommandFacts& command : commands) {
    if (command.name == name) return command_page(command, commands);
    names.push_back(command.name);
  }
  throw ConfigError("command", name, listed(names));
}

void write_man_pages(const CLI::App& program, const std::string& folder) {
  std::filesystem::create_directories(folder);
  write_file(folder + "/sequela.1", man_page(program, ""));
  for (const CommandFacts& command : commands_of(program)) {
    write_file(folder + "/sequela-" + command.name + ".1", man_page(program, command.name));
  }
}

}  // namespace sequela
