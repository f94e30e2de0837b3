#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sequela {

// --device and --kernels of a command that computes.
void add_device_option(CLI::App& app, std::string& device);
void add_kernels_option(CLI::App& app, std::string& kernels);

// Where the checks of a GPU's kernels are kept: $XDG_CACHE_HOME/sequela, else ~/.cache/sequela; ""
// where neither is known.
std::string kernel_cache_folder();

}  // namespace sequela
