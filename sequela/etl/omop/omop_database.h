#pragma once

#include <string>

namespace sequela {

// True for "postgresql://..." and "postgres://...".
bool is_postgres_uri(const std::string& from);

// Copies the OMOP tables of a PostgreSQL schema to CSV files in a folder, which is emptied first:
// one for each table that is there, all as they were at one moment. `uri` is
// "postgresql://user@host:port/database/schema", or without a schema "public". Throws ConfigError,
// FileError, Interrupted; DataError if the schema has no table person.
void export_omop(const std::string& uri, const std::string& folder);

}  // namespace sequela
