#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sequela {

// The page of section 1, in roff for man(7), of the program (`command` empty) or of a command.
// ConfigError for a command that there is not.
std::string man_page(const CLI::App& program, const std::string& command);

// Writes all pages, sequela.1 and sequela-<command>.1, into a folder, which is made if need be.
void write_man_pages(const CLI::App& program, const std::string& folder);

}  // namespace sequela
