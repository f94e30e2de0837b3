#include "sequela/etl/duckdb.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/run_context.h"
#include "sequela/etl/duckdb_error.h"

namespace sequela {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += c;
    out += c;
  }
  return out + quote;
}

// Interrupts a query when this thread's run is to stop.
class StopWatch {
 public:
  StopWatch(const DuckDbApi& api, DuckDbApi::Handle connection) : is_running_(running_) {
    thread_ = std::thread([this, &api, connection, run = RunContext::current()] {
      while (!running_.try_lock_for(std::chrono::milliseconds(20))) {
        if (run.stop_signal() != 0) api.interrupt(connection);
      }
      running_.unlock();
    });
  }
  ~StopWatch() {
    is_running_.unlock();
    thread_.join();
  }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

 private:
  std::timed_mutex running_;  // locked while the query lives
  std::unique_lock<std::timed_mutex> is_running_;
  std::thread thread_;
};

}  // namespace

std::string sql_text(std::string_view text) {
  return quoted(text, '\'');
}

std::string sql_name(std::string_view name) {
  return quoted(name, '"');
}

DuckChunk::DuckChunk(const DuckDbApi& api, DuckDbApi::Handle chunk, size_t num_columns)
    : num_rows_(static_cast<int64_t>(api.data_chunk_get_size(chunk))) {
  columns_.reserve(num_columns);
  for (size_t c = 0; c < num_columns; ++c) {
    DuckDbApi::Handle vector = api.data_chunk_get_vector(chunk, c);
    columns_.push_back({api.vector_get_data(vector), api.vector_get_validity(vector)});
  }
}

std::string_view DuckChunk::text(size_t column, int64_t row) const {
  const DuckDbApi::Text& text = at<DuckDbApi::Text>(column, row);
  constexpr uint32_t kInlined = 12;
  const char* bytes = text.length <= kInlined ? text.start : text.pointer;
  return {bytes, text.length};
}

// A statement and its result, both given back at the end.
class DuckDb::Query {
 public:
  Query(const DuckDb& db, const std::string& sql) : api_(db.api_), watch_(api_, db.connection_) {
    if (api_.prepare(db.connection_, sql.c_str(), &statement_) == DuckDbApi::kError) {
      const std::string message = api_.prepare_error(statement_);
      api_.destroy_prepare(&statement_);
      throw_duckdb_error(message);
    }
    if (api_.execute_prepared_streaming(statement_, &result_) == DuckDbApi::kError) {
      const std::string message = error();
      give_back();
      throw_duckdb_error(message);
    }
  }
  ~Query() { give_back(); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  size_t num_columns() { return api_.column_count(&result_); }

  void for_each_chunk(const std::function<void(const DuckChunk&)>& visit) {
    const size_t num_columns = this->num_columns();
    while (DuckDbApi::Handle chunk = api_.fetch_chunk(result_)) {
      // Given back also if the visitor throws.
      const std::unique_ptr<void, std::function<void(void*)>> owner(
          chunk, [this](void* pointer) { api_.destroy_data_chunk(&pointer); });
      throw_if_stopped();
      visit(DuckChunk(api_, chunk, num_columns));
    }
    const std::string message = error();
    if (!message.empty()) throw_duckdb_error(message);
  }

 private:
  std::string error() {
    const char* message = api_.result_error(&result_);
    return message != nullptr ? message : "";
  }
  void give_back() {
    api_.destroy_result(&result_);
    api_.destroy_prepare(&statement_);
  }

  const DuckDbApi& api_;
  StopWatch watch_;
  DuckDbApi::Handle statement_ = nullptr;
  DuckDbApi::Result result_{};
};

DuckDb::DuckDb(const DuckDbOptions& options) : api_(duckdb_api()) {
  DuckDbApi::Handle config = nullptr;
  api_.create_config(&config);
  const auto set = [&](const char* name, const std::string& value) {
    api_.set_config(config, name, value.c_str());
  };
  set("memory_limit", str(options.memory_bytes / 1024, "KiB"));
  set("threads", std::to_string(options.num_threads));
  set("temp_directory", options.temp_folder);
  set("autoinstall_known_extensions", "false");
  set("autoload_known_extensions", "false");
  char* error = nullptr;
  const DuckDbApi::State state = api_.open_ext(nullptr, &database_, config, &error);
  api_.destroy_config(&config);
  if (state == DuckDbApi::kError) {
    const std::string message = error != nullptr ? error : "cannot be opened";
    api_.free(error);
    throw_duckdb_error(message);
  }
  if (api_.connect(database_, &connection_) == DuckDbApi::kError) {
    api_.close(&database_);
    throw_duckdb_error("no connection");
  }
  // Times with a zone become times without one: in UTC, whatever zone the machine is in.
  if (api_.query(connection_, "SET TimeZone = 'UTC'", nullptr) == DuckDbApi::kError) {
    api_.disconnect(&connection_);
    api_.close(&database_);
    throw_duckdb_error("DuckDB has no time zones");
  }
}

DuckDb::~DuckDb() {
  api_.disconnect(&connection_);
  api_.close(&database_);
}

void DuckDb::run(const std::string& sql) {
  Query(*this, sql).for_each_chunk([](const DuckChunk&) {});
}

void DuckDb::stream(const std::string& sql, const std::function<void(const DuckChunk&)>& visit) {
  Query(*this, sql).for_each_chunk(visit);
}

std::vector<std::vector<std::optional<std::string>>> DuckDb::texts(const std::string& sql) {
  std::vector<std::vector<std::optional<std::string>>> rows;
  Query query(*this, sql);
  const size_t num_columns = query.num_columns();
  query.for_each_chunk([&](const DuckChunk& chunk) {
    for (int64_t r = 0; r < chunk.num_rows(); ++r) {
      std::vector<std::optional<std::string>>& row = rows.emplace_back(num_columns);
      for (size_t c = 0; c < num_columns; ++c) {
        if (chunk.is_valid(c, r)) row[c] = std::string(chunk.text(c, r));
      }
    }
  });
  return rows;
}

int64_t DuckDb::integer(const std::string& sql) {
  int64_t value = 0;
  stream(sql, [&](const DuckChunk& chunk) {
    if (chunk.num_rows() > 0 && chunk.is_valid(0, 0)) value = chunk.integer(0, 0);
  });
  return value;
}

}  // namespace sequela
