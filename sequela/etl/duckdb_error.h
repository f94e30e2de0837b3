#pragma once

#include <string>

namespace sequela {

// Throws what DuckDB's message of a failed query is for us, as duckdb.h says; Interrupted if a stop
// was asked for.
[[noreturn]] void throw_duckdb_error(const std::string& message);

// What DuckDB's message says without what it quotes or counts of the data.
std::string without_values(const std::string& message);

}  // namespace sequela
