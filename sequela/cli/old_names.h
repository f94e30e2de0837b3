#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sequela {

// Options that had other names once; they are still taken, on the command line and in files.

// The name that an option of a command has now, both with "--"; nothing if it is no old name.
std::optional<std::string> new_name_of(const std::string& command, const std::string& option);

struct RenamedArguments {
  std::vector<std::string> arguments;
  std::vector<std::string> notes;  // a line for each old name that was given
};

// Arguments of the program (without its own name) with the options' present names.
RenamedArguments rename_arguments(const std::vector<std::string>& arguments);

std::string old_name_note(const std::string& old_name, const std::string& new_name);

}  // namespace sequela
