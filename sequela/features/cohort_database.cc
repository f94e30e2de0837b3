#include <poll.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/features/cohort.h"
#include "sequela/features/postgres_client.h"

namespace sequela {
namespace {

const PostgresClient& pq() {
  return postgres_client();
}

using Connection = std::unique_ptr<PGconn, decltype(&::PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&::PQclear)>;
using Clock = std::chrono::steady_clock;

// A stop is noticed after so long at most.
constexpr int kPollMilliseconds = 100;

// Types, by their numbers in pg_type.
constexpr Oid kBoolOid = 16;
constexpr Oid kFloat4Oid = 700;
constexpr Oid kFloat8Oid = 701;

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

Connection connect(const std::string& uri) {
  char* problem = nullptr;
  PQconninfoOption* options = pq().conninfo_parse(uri.c_str(), &problem);
  const bool is_valid = options != nullptr;
  pq().conninfo_free(options);
  pq().freemem(problem);  // it may quote the URI, password and all, so it is not shown
  if (!is_valid) {
    throw ConfigError(
        "--cohort-db: not a PostgreSQL URI. Fix: give postgresql://user@host:port/database.");
  }
  Connection connection(pq().connect_start(uri.c_str()), pq().finish);
  finish_connecting(connection.get());
  if (pq().status(connection.get()) != CONNECTION_OK) {
    throw FileError(describe(connection.get()), "cannot connect: " + first_line(connection.get()),
                    "check host, user and password (PGPASSWORD or ~/.pgpass also serve)");
  }
  return connection;
}

// The server ends the query that is at work; without, it would go on with nobody waiting.
void cancel_query(PGconn* connection) {
  PGcancel* cancel = pq().get_cancel(connection);
  char ignored[256];
  if (cancel != nullptr) pq().cancel(cancel, ignored, sizeof(ignored));
  pq().free_cancel(cancel);
}

// The query's next result, null after the last. Throws Interrupted, the query ended, when a stop is
// asked for while the server is at work.
Result next_result(PGconn* connection) {
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

std::string field(PGresult* result, int row, int column) {
  if (pq().getisnull(result, row, column)) return "";
  const std::string text = pq().getvalue(result, row, column);
  const Oid type = pq().ftype(result, column);
  if (type == kBoolOid) return text == "t" ? "True" : "False";
  if (type == kFloat4Oid || type == kFloat8Oid) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return float_text(value);
  }
  return text;
}

}  // namespace

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

Cohort read_cohort_database(const std::string& uri, const std::string& query,
                            const std::string& label_column) {
  const Connection connection = connect(uri);
  const std::string source = describe(connection.get());
  if (pq().send_query(connection.get(), query.c_str()) == 0) {
    throw FileError(source, "cannot send the query: " + first_line(connection.get()));
  }
  pq().set_single_row_mode(connection.get());
  std::unique_ptr<CohortBuilder> builder;
  int64_t row = 0;
  while (const Result result = next_result(connection.get())) {
    const ExecStatusType status = pq().result_status(result.get());
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
      throw FileError(source, "the query failed: " + first_line(connection.get()),
                      "check --cohort-query");
    }
    if (builder == nullptr) {
      std::vector<std::string> columns;
      for (int i = 0; i < pq().nfields(result.get()); ++i)
        columns.push_back(pq().fname(result.get(), i));
      builder = std::make_unique<CohortBuilder>(source, columns, label_column);
    }
    for (int i = 0; i < pq().ntuples(result.get()); ++i, ++row) {
      builder->add_text(
          row, field(result.get(), i, builder->subject_column()),
          field(result.get(), i, builder->split_column()),
          builder->label_column() < 0 ? "" : field(result.get(), i, builder->label_column()));
    }
  }
  if (builder == nullptr) throw FileError(source, "the query returned nothing");
  return builder->finish();
}

}  // namespace sequela
