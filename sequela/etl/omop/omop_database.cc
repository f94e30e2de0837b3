#include "sequela/etl/omop/omop_database.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/etl/duckdb.h"
#include "sequela/io/file.h"
#include "sequela/io/postgres.h"

namespace sequela {
namespace {

constexpr std::array kTables = {"cdm_source",           "concept",      "concept_ancestor",
                                "concept_relationship", "person",       "death",
                                "visit_occurrence",     "visit_detail", "condition_occurrence",
                                "drug_exposure",        "measurement",  "procedure_occurrence",
                                "device_exposure",      "observation",  "note"};

struct Place {
  std::string uri, schema;
};

// Takes the schema off the path of a URI.
Place split_uri(const std::string& uri) {
  const size_t host = uri.find("://") + 3;
  const size_t end = std::min(uri.find('?', host), uri.size());
  const size_t database = uri.find('/', host);
  if (database == std::string::npos || database > end) return {uri, "public"};
  const size_t schema = uri.find('/', database + 1);
  if (schema == std::string::npos || schema > end) return {uri, "public"};
  return {uri.substr(0, schema) + uri.substr(end), uri.substr(schema + 1, end - schema - 1)};
}

}  // namespace

bool is_postgres_uri(const std::string& from) {
  return from.starts_with("postgresql://") || from.starts_with("postgres://");
}

void export_omop(const std::string& uri, const std::string& folder) {
  const Place place = split_uri(uri);
  PostgresConnection connection(place.uri, "--from");
  connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  connection.run("SET datestyle = 'ISO'");
  std::vector<std::string> there;
  for (const auto& row :
       connection.texts("SELECT table_name FROM information_schema.tables WHERE table_schema = " +
                        sql_text(place.schema))) {
    there.push_back(row[0]);
  }
  if (std::ranges::find(there, "person") == there.end()) {
    throw DataError({.path = connection.name()},
                    str("the schema '", place.schema, "' has no table person"),
                    "name the schema behind the database: postgresql://host/database/schema");
  }
  std::filesystem::remove_all(folder);  // a run before may have found tables that are gone
  std::filesystem::create_directories(folder);
  Progress progress("postgresql", 0, "bytes");
  for (const char* table : kTables) {
    if (std::ranges::find(there, table) == there.end()) continue;
    AtomicFile file(folder + "/" + table + ".csv");
    connection.copy_out(str("COPY (SELECT * FROM ", sql_name(place.schema), ".", sql_name(table),
                            ") TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')"),
                        [&](std::string_view piece) {
                          file.write(piece);
                          progress.advance(static_cast<int64_t>(piece.size()));
                        });
    file.commit();
  }
}

}  // namespace sequela
