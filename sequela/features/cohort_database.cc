#include <libpq-fe.h>

#include <charconv>
#include <memory>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/features/cohort.h"

namespace sequela {
namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

// Types, by their numbers in pg_type.
constexpr Oid kBoolOid = 16;
constexpr Oid kFloat4Oid = 700;
constexpr Oid kFloat8Oid = 701;

// Server and database of a URI, for messages: what is in it besides user and password.
std::string describe(PGconn* connection) {
  const char* host = PQhost(connection);
  const char* database = PQdb(connection);
  return str("PostgreSQL ", host != nullptr ? host : "", "/", database != nullptr ? database : "");
}

// The first line of a libpq message, free of the connection's password.
std::string first_line(PGconn* connection) {
  std::string text = PQerrorMessage(connection);
  const char* password = PQpass(connection);
  if (password != nullptr && *password != '\0') {
    for (size_t at = text.find(password); at != std::string::npos; at = text.find(password)) {
      text.replace(at, std::string_view(password).size(), "***");
    }
  }
  return text.substr(0, text.find('\n'));
}

Connection connect(const std::string& uri) {
  char* problem = nullptr;
  PQconninfoOption* options = PQconninfoParse(uri.c_str(), &problem);
  const bool is_valid = options != nullptr;
  PQconninfoFree(options);
  PQfreemem(problem);  // it may quote the URI, password and all, so it is not shown
  if (!is_valid) {
    throw ConfigError(
        "--cohort-db: not a PostgreSQL URI. Fix: give postgresql://user@host:port/database.");
  }
  Connection connection(PQconnectdb(uri.c_str()), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    throw FileError(describe(connection.get()), "cannot connect: " + first_line(connection.get()),
                    "check host, user and password (PGPASSWORD or ~/.pgpass also serve)");
  }
  return connection;
}

std::string field(PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return "";
  const std::string text = PQgetvalue(result, row, column);
  const Oid type = PQftype(result, column);
  if (type == kBoolOid) return text == "t" ? "True" : "False";
  if (type == kFloat4Oid || type == kFloat8Oid) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return float_text(value);
  }
  return text;
}

}  // namespace

Cohort read_cohort_database(const std::string& uri, const std::string& query,
                            const std::string& label_column) {
  const Connection connection = connect(uri);
  const std::string source = describe(connection.get());
  if (PQsendQuery(connection.get(), query.c_str()) == 0) {
    throw FileError(source, "cannot send the query: " + first_line(connection.get()));
  }
  PQsetSingleRowMode(connection.get());
  std::unique_ptr<CohortBuilder> builder;
  int64_t row = 0;
  while (Result result{PQgetResult(connection.get()), &PQclear}) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
      throw FileError(source, "the query failed: " + first_line(connection.get()),
                      "check --cohort-query");
    }
    if (builder == nullptr) {
      std::vector<std::string> columns;
      for (int i = 0; i < PQnfields(result.get()); ++i) columns.push_back(PQfname(result.get(), i));
      builder = std::make_unique<CohortBuilder>(source, columns, label_column);
    }
    for (int i = 0; i < PQntuples(result.get()); ++i, ++row) {
      builder->add_text(row, field(result.get(), i, builder->subject_column()),
                        field(result.get(), i, builder->split_column()),
                        field(result.get(), i, builder->label_column()));
    }
    throw_if_stopped();
  }
  if (builder == nullptr) throw FileError(source, "the query returned nothing");
  return builder->finish();
}

}  // namespace sequela
