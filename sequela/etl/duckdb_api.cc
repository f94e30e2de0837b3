#include "sequela/etl/duckdb_api.h"

#include <string_view>

#include "sequela/core/error.h"
#include "sequela/io/shared_library.h"

namespace sequela {

DuckDbApi load_duckdb(const std::string& library) {
  const SharedLibrary from(library, "DuckDB's library",
                           "run `make setup` in the sources, or install Sequela's wheel, which "
                           "brings it");
  DuckDbApi api;
  from.find("duckdb_open_ext", &api.open_ext);
  from.find("duckdb_close", &api.close);
  from.find("duckdb_connect", &api.connect);
  from.find("duckdb_disconnect", &api.disconnect);
  from.find("duckdb_interrupt", &api.interrupt);
  from.find("duckdb_create_config", &api.create_config);
  from.find("duckdb_set_config", &api.set_config);
  from.find("duckdb_destroy_config", &api.destroy_config);
  from.find("duckdb_query", &api.query);
  from.find("duckdb_prepare", &api.prepare);
  from.find("duckdb_destroy_prepare", &api.destroy_prepare);
  from.find("duckdb_prepare_error", &api.prepare_error);
  from.find("duckdb_execute_prepared_streaming", &api.execute_prepared_streaming);
  from.find("duckdb_destroy_result", &api.destroy_result);
  from.find("duckdb_result_error", &api.result_error);
  from.find("duckdb_column_count", &api.column_count);
  from.find("duckdb_fetch_chunk", &api.fetch_chunk);
  from.find("duckdb_data_chunk_get_size", &api.data_chunk_get_size);
  from.find("duckdb_data_chunk_get_vector", &api.data_chunk_get_vector);
  from.find("duckdb_destroy_data_chunk", &api.destroy_data_chunk);
  from.find("duckdb_vector_get_data", &api.vector_get_data);
  from.find("duckdb_vector_get_validity", &api.vector_get_validity);
  from.find("duckdb_free", &api.free);
  from.find("duckdb_library_version", &api.library_version);
  if (!std::string_view(api.library_version()).starts_with("v1.")) {
    from.fail(str(library, " is DuckDB ", api.library_version(), ", not 1.x"));
  }
  return api;
}

const DuckDbApi& duckdb_api() {
  static const DuckDbApi api = load_duckdb("libduckdb.so");
  return api;
}

}  // namespace sequela
