# Finds torch (SequelaTorch.cmake) and Arrow inside the pip wheels of a Python environment.
#
# Defines the interface target sequela_arrow. pyarrow ships versioned libraries only, so they are linked by file.
include(SequelaTorch)

sequela_find_package(pyarrow)
file(GLOB arrow_libraries "${pyarrow_folder}/libarrow.so.*" "${pyarrow_folder}/libarrow_compute.so.*"
     "${pyarrow_folder}/libparquet.so.*")
list(FILTER arrow_libraries EXCLUDE REGEX "\\.so\\.[0-9]+\\.")
list(LENGTH arrow_libraries num_arrow_libraries)
if(NOT num_arrow_libraries EQUAL 3)
  message(FATAL_ERROR "Expected libarrow, libarrow_compute and libparquet in ${pyarrow_folder}, found: ${arrow_libraries}")
endif()
add_library(sequela_arrow INTERFACE)
target_link_libraries(sequela_arrow INTERFACE ${arrow_libraries})
target_include_directories(sequela_arrow SYSTEM INTERFACE "${pyarrow_folder}/include")
list(APPEND CMAKE_BUILD_RPATH "${pyarrow_folder}")

# DuckDB's library is loaded when `sequela etl` needs it (etl/duckdb_api.h): nothing is linked to it.
# A build by `make` works without it; the Python package has it (python/CMakeLists.txt).
set(duckdb_folder "${CMAKE_SOURCE_DIR}/.venv-duckdb")
list(APPEND CMAKE_BUILD_RPATH "${duckdb_folder}")
