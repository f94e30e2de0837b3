#include "sequela/io/postgres.h"

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"

namespace sequela {
namespace {

const PostgresClient& pq() {
  return postgres_client();
}

using Clock = std::chrono::steady_clock;

// A stop is noticed after so long at most.
constexpr int kPollMilliseconds = 100;

// Server and database of a URI, for messages: what is in it besides user and password.
std::string describe(PGconn* connection) {
  const char* host = pq().host(connection);
  const char* database = pq().db(connection);
  return str("PostgreSQL ", host != nullptr ? host : "", "/", database != nullptr ? database : "");
}

using Options = std::unique_ptr<PQconninfoOption, decltype(&::PQconninfoFree)>;

// True for what libpq itself would not show in a dialog.
bool is_secret(const PQconninfoOption& option) {
  return option.dispchar != nullptr && *option.dispchar == '*';
}

bool has_value(const PQconninfoOption& option) {
  return option.val != nullptr && *option.val != '\0';
}

// The first line of a libpq message, free of the connection's secrets.
std::string first_line(PGconn* connection) {
  constexpr std::string_view kMask = "***";
  std::string text = pq().error_message(connection);
  text = text.substr(0, text.find('\n'));
  const Options options(pq().conninfo(connection), pq().conninfo_free);
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (!is_secret(*option) || !has_value(*option)) continue;
    const std::string_view secret = option->val;
    for (size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + kMask.size())) {
      text.replace(at, secret.size(), kMask);
    }
  }
  return text;
}

// key='value', as libpq reads it.
std::string setting(const PQconninfoOption& option) {
  std::string text = str(option.keyword, "='");
  for (const char* c = option.val; *c != '\0'; ++c) {
    if (*c == '\'' || *c == '\\') text += '\\';
    text += *c;
  }
  return text + "'";
}

// Waits until the server answers, or takes more (POLLIN, POLLOUT). Throws Interrupted when a stop
// is asked for. False if the deadline came first.
bool wait_for_server(PGconn* connection, short events,
                     std::optional<Clock::time_point> deadline = std::nullopt) {
  while (true) {
    throw_if_stopped();
    if (deadline && Clock::now() >= *deadline) return false;
    pollfd waited{pq().socket(connection), events, 0};
    const int num_ready = poll(&waited, 1, kPollMilliseconds);
    if (num_ready > 0) return true;
    if (num_ready < 0 && errno != EINTR) {
      throw FileError(describe(connection), str("cannot wait: ", std::strerror(errno)));
    }
  }
}

// The end of the time that the URI gives for connecting, which libpq leaves to its caller here.
std::optional<Clock::time_point> connect_deadline(PGconn* connection) {
  const Options options(pq().conninfo(connection), pq().conninfo_free);
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (std::strcmp(option->keyword, "connect_timeout") != 0 || option->val == nullptr) continue;
    const int seconds = std::atoi(option->val);
    if (seconds > 0) return Clock::now() + std::chrono::seconds(seconds);
  }
  return std::nullopt;
}

// Drives a connection that was begun until it is made or has failed.
void finish_connecting(PGconn* connection) {
  if (connection == nullptr || pq().status(connection) == CONNECTION_BAD) return;
  const auto deadline = connect_deadline(connection);
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!wait_for_server(connection, events, deadline)) {
      throw FileError(describe(connection), "cannot connect: no answer within connect_timeout",
                      "check host and port");
    }
    status = pq().connect_poll(connection);
  }
}

// The server ends the query that is at work; without, it would go on with nobody waiting.
void cancel_query(PGconn* connection) {
  PGcancel* cancel = pq().get_cancel(connection);
  char ignored[256];
  if (cancel != nullptr) pq().cancel(cancel, ignored, sizeof(ignored));
  pq().free_cancel(cancel);
}

}  // namespace

PostgresConnection::PostgresConnection(const std::string& uri, const std::string& option)
    : connection_(nullptr, pq().finish) {
  char* problem = nullptr;
  PQconninfoOption* options = pq().conninfo_parse(uri.c_str(), &problem);
  const bool is_valid = options != nullptr;
  pq().conninfo_free(options);
  pq().freemem(problem);  // it may quote the URI, password and all, so it is not shown
  if (!is_valid) {
    throw ConfigError(
        str(option, ": not a PostgreSQL URI. Fix: give postgresql://user@host:port/database."));
  }
  connection_.reset(pq().connect_start(uri.c_str()));
  finish_connecting(connection_.get());
  if (pq().status(connection_.get()) != CONNECTION_OK) {
    throw FileError(name(), "cannot connect: " + this->problem(),
                    "check host, user and password (PGPASSWORD or ~/.pgpass also serve)");
  }
}

std::string PostgresConnection::name() const {
  return describe(connection_.get());
}

std::string PostgresConnection::problem() const {
  return first_line(connection_.get());
}

void PostgresConnection::send(const std::string& query) {
  if (pq().send_query(connection_.get(), query.c_str()) == 0) {
    throw FileError(name(), "cannot send the query: " + problem());
  }
}

void PostgresConnection::send_for_single_rows(const std::string& query) {
  send(query);
  pq().set_single_row_mode(connection_.get());
}

PostgresResult PostgresConnection::next_result() const {
  PGconn* connection = connection_.get();
  try {
    throw_if_stopped();
    while (pq().is_busy(connection) != 0) {
      wait_for_server(connection, POLLIN);
      if (pq().consume_input(connection) == 0) break;  // PQgetResult then tells what is wrong
    }
  } catch (const Interrupted&) {
    cancel_query(connection);
    throw;
  }
  return {pq().get_result(connection), pq().clear};
}

void PostgresConnection::run(const std::string& statement) {
  texts(statement);
}

std::vector<std::vector<std::string>> PostgresConnection::texts(const std::string& query) {
  send(query);
  std::vector<std::vector<std::string>> rows;
  while (const PostgresResult result = next_result()) {
    const ExecStatusType status = pq().result_status(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      throw FileError(name(), "a query failed: " + problem());
    }
    for (int row = 0; row < pq().ntuples(result.get()); ++row) {
      std::vector<std::string>& texts = rows.emplace_back();
      for (int column = 0; column < pq().nfields(result.get()); ++column) {
        texts.emplace_back(pq().getvalue(result.get(), row, column));
      }
    }
  }
  return rows;
}

void PostgresConnection::copy_out(const std::string& copy,
                                  const std::function<void(std::string_view)>& visit) {
  send(copy);
  PGconn* connection = connection_.get();
  if (pq().result_status(next_result().get()) != PGRES_COPY_OUT) {
    throw FileError(name(), "a table cannot be read: " + problem());
  }
  try {
    while (true) {
      throw_if_stopped();
      char* piece = nullptr;
      const int size = pq().get_copy_data(connection, &piece, 1);
      if (size > 0) {
        visit({piece, static_cast<size_t>(size)});
        pq().freemem(piece);
      } else if (size == 0) {
        wait_for_server(connection, POLLIN);
        if (pq().consume_input(connection) == 0) break;
      } else {
        break;
      }
    }
  } catch (const Interrupted&) {
    cancel_query(connection);
    throw;
  }
  while (const PostgresResult result = next_result()) {
    if (pq().result_status(result.get()) != PGRES_COMMAND_OK) {
      throw FileError(name(), "a table was not read to its end: " + problem());
    }
  }
}

std::string without_secrets(const std::string& connection) {
  char* problem = nullptr;
  const Options options(pq().conninfo_parse(connection.c_str(), &problem), pq().conninfo_free);
  pq().freemem(problem);
  if (options == nullptr) return "***";
  std::string settings;
  bool has_secret = false;
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option) {
    if (!has_value(*option)) continue;
    if (is_secret(*option)) {
      has_secret = true;
    } else {
      if (!settings.empty()) settings += ' ';
      settings += setting(*option);
    }
  }
  return has_secret ? settings : connection;
}

}  // namespace sequela
