#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/io/postgres_client.h"

namespace sequela {

using PostgresResult = std::unique_ptr<PGresult, decltype(&::PQclear)>;

// A connection to a PostgreSQL server. No message tells a password. Waits for the server end when a
// stop is asked for, and with them the query.
class PostgresConnection {
 public:
  // Throws ConfigError, with the name of the option, if this is no PostgreSQL URI (or libpq's
  // key='value' form); FileError if there is no connection.
  PostgresConnection(const std::string& uri, const std::string& option);

  // Server and database, for messages.
  std::string name() const;
  // The first line of the server's last message.
  std::string problem() const;

  void send(const std::string& query);
  // As send(), and each row is a result of its own.
  void send_for_single_rows(const std::string& query);
  // The query's next result, null after the last.
  PostgresResult next_result() const;

  // Runs a statement to its end. FileError if it fails.
  void run(const std::string& statement);
  // The texts of a small result, by row; null is empty.
  std::vector<std::vector<std::string>> texts(const std::string& query);
  // What a "COPY ... TO STDOUT" gives, piece by piece.
  void copy_out(const std::string& copy, const std::function<void(std::string_view)>& visit);

 private:
  std::unique_ptr<PGconn, decltype(&::PQfinish)> connection_;
};

// A connection's settings without password and other secrets; as they are if they hold none.
std::string without_secrets(const std::string& connection);

}  // namespace sequela
