#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sequela {

inline const std::vector<std::string> kShells = {"bash", "zsh", "fish"};

// A script that completes the program's commands, options and values in a shell: words of a choice,
// folders and files where a path is wanted. ConfigError for another shell.
std::string completion_script(const CLI::App& program, const std::string& shell);

}  // namespace sequela
