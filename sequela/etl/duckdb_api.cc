#include "sequela/etl/duckdb_api.h"

#include <dlfcn.h>

#include <string_view>

#include "sequela/core/error.h"

namespace sequela {
namespace {

[[noreturn]] void fail_to_load(const std::string& reason) {
  throw FileError("DuckDB's library", reason,
                  "run `make setup` in the sources, or install Sequela's wheel, which brings it");
}

}  // namespace

DuckDbApi load_duckdb(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    fail_to_load(reason != nullptr ? reason : library + " cannot be loaded");
  }
  const auto find = [&](const char* symbol, auto* function) {
    *reinterpret_cast<void**>(function) = dlsym(handle, symbol);
    if (*function == nullptr) fail_to_load(str(library, " lacks ", symbol));
  };
  DuckDbApi api;
  find("duckdb_open_ext", &api.open_ext);
  find("duckdb_close", &api.close);
  find("duckdb_connect", &api.connect);
  find("duckdb_disconnect", &api.disconnect);
  find("duckdb_interrupt", &api.interrupt);
  find("duckdb_create_config", &api.create_config);
  find("duckdb_set_config", &api.set_config);
  find("duckdb_destroy_config", &api.destroy_config);
  find("duckdb_query", &api.query);
  find("duckdb_prepare", &api.prepare);
  find("duckdb_destroy_prepare", &api.destroy_prepare);
  find("duckdb_prepare_error", &api.prepare_error);
  find("duckdb_execute_prepared_streaming", &api.execute_prepared_streaming);
  find("duckdb_destroy_result", &api.destroy_result);
  find("duckdb_result_error", &api.result_error);
  find("duckdb_column_count", &api.column_count);
  find("duckdb_fetch_chunk", &api.fetch_chunk);
  find("duckdb_data_chunk_get_size", &api.data_chunk_get_size);
  find("duckdb_data_chunk_get_vector", &api.data_chunk_get_vector);
  find("duckdb_destroy_data_chunk", &api.destroy_data_chunk);
  find("duckdb_vector_get_data", &api.vector_get_data);
  find("duckdb_vector_get_validity", &api.vector_get_validity);
  find("duckdb_free", &api.free);
  find("duckdb_library_version", &api.library_version);
  if (!std::string_view(api.library_version()).starts_with("v1.")) {
    fail_to_load(str(library, " is DuckDB ", api.library_version(), ", not 1.x"));
  }
  return api;
}

const DuckDbApi& duckdb_api() {
  static const DuckDbApi api = load_duckdb("libduckdb.so");
  return api;
}

}  // namespace sequela
