#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sequela {

// Names of values in --help (CLI11's type_name); completion offers what they say.
inline constexpr const char* kFile = "FILE";      // a file, or something that may be a file
inline constexpr const char* kFolder = "FOLDER";  // a folder
// A choice is written "mean|cls|max": its values, all that the option takes.

// What completion scripts and man pages say of an option or a positional argument.
struct OptionFacts {
  std::vector<std::string> names;    // "-q", "--quiet"; empty for a positional argument
  std::string positional;            // its name; empty for an option
  std::string value;                 // FILE, FOLDER, INT, "mean|cls|max"; empty for a flag
  std::vector<std::string> choices;  // empty if the value is none of a few words
  std::string help, default_value, group;
  bool may_repeat = false;
};

// What they say of a command, or of the program itself.
struct CommandFacts {
  std::string name, help;
  std::vector<OptionFacts> options;      // in the order of --help
  std::vector<OptionFacts> positionals;  // an argument that also has a name is in both
  std::string footer;
};

CommandFacts facts_of(const CLI::App& app);
std::vector<CommandFacts> commands_of(const CLI::App& app);

// "mean, cls or max"
std::string listed(const std::vector<std::string>& names);

}  // namespace sequela
