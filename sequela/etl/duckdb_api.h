#pragma once

#include <cstdint>
#include <string>

namespace sequela {

// What is used of DuckDB's C API (duckdb.h of version 1.5, its stable part), under the names that
// it has there without "duckdb_". The library is found when it is first needed: no other command
// needs it.
struct DuckDbApi {
  using Handle = void*;  // a database, connection, configuration, statement, chunk or vector
  struct Result {        // duckdb_result: passed by value, its fields belong to the library
    uint64_t deprecated_counts[3];
    void* deprecated_pointers[2];
    void* internal_data;
  };
  // duckdb_string_t: up to 12 bytes stand in it, longer ones behind a pointer.
  struct Text {
    uint32_t length;
    char start[4];
    union {
      char rest[8];
      const char* pointer;
    };
  };
  enum State : int { kSuccess = 0, kError = 1 };

  State (*open_ext)(const char* path, Handle* database, Handle config, char** error);
  void (*close)(Handle* database);
  State (*connect)(Handle database, Handle* connection);
  void (*disconnect)(Handle* connection);
  void (*interrupt)(Handle connection);
  State (*create_config)(Handle* config);
  State (*set_config)(Handle config, const char* name, const char* value);
  void (*destroy_config)(Handle* config);
  State (*query)(Handle connection, const char* sql, Result* result);
  State (*prepare)(Handle connection, const char* sql, Handle* statement);
  void (*destroy_prepare)(Handle* statement);
  const char* (*prepare_error)(Handle statement);
  State (*execute_prepared_streaming)(Handle statement, Result* result);
  void (*destroy_result)(Result* result);
  const char* (*result_error)(Result* result);
  uint64_t (*column_count)(Result* result);
  Handle (*fetch_chunk)(Result result);
  uint64_t (*data_chunk_get_size)(Handle chunk);
  Handle (*data_chunk_get_vector)(Handle chunk, uint64_t column);
  void (*destroy_data_chunk)(Handle* chunk);
  void* (*vector_get_data)(Handle vector);
  uint64_t* (*vector_get_validity)(Handle vector);  // null = no nulls
  void (*free)(void* pointer);
  const char* (*library_version)();
};

// Loads the library of this name. It stays loaded. Throws FileError if it is missing, is another
// version than 1.x, or lacks a function; the message says what brings it.
DuckDbApi load_duckdb(const std::string& library);

// libduckdb.so, loaded at the first call that finds it: beside Sequela's own library, where
// `make setup` puts it, or where the system looks.
const DuckDbApi& duckdb_api();

}  // namespace sequela
