# Finds torch and Arrow inside the pip wheels of a Python environment.
#
# SEQUELA_PYTHON names the interpreter: that of .venv, which `make` has made and a build by pip in the same folder
# takes too (the same headers at the same place, so that the compiler's cache serves both); else pip's own. Defines the
# interface targets sequela_torch and sequela_arrow. pyarrow ships versioned libraries only, so they are
# linked by file.
set(default_python "${CMAKE_SOURCE_DIR}/.venv/bin/python")
if(SKBUILD AND NOT EXISTS "${default_python}")
  set(default_python "${Python_EXECUTABLE}")
endif()
set(SEQUELA_PYTHON "${default_python}" CACHE FILEPATH "Python with torch and pyarrow")
if(NOT EXISTS "${SEQUELA_PYTHON}")
  message(FATAL_ERROR "No Python at ${SEQUELA_PYTHON}. Run `make setup` first, or pass -DSEQUELA_PYTHON=...")
endif()

# Under pip, PYTHONPATH shows the packages of the build alone; those of the environment are seen without it.
foreach(package torch pyarrow)
  set(ask ${SEQUELA_PYTHON} -c
      "from importlib.util import find_spec as find\nprint(find('${package}').submodule_search_locations[0])")
  execute_process(COMMAND ${ask} RESULT_VARIABLE failed OUTPUT_VARIABLE ${package}_folder ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=PYTHONPATH ${ask} RESULT_VARIABLE failed
                    OUTPUT_VARIABLE ${package}_folder ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  if(failed)
    message(FATAL_ERROR "${SEQUELA_PYTHON} has no ${package}. Run `make setup`, or install it there.")
  endif()
endforeach()

list(APPEND CMAKE_PREFIX_PATH "${torch_folder}/share/cmake")
if(NOT SEQUELA_CUDA AND EXISTS "${torch_folder}/lib/libtorch_cuda.so")
  # torch's own CMake files want a CUDA toolkit as soon as torch has CUDA, even where nothing needs it.
  set(TORCH_LIBRARIES torch torch_cpu c10)
  list(TRANSFORM TORCH_LIBRARIES REPLACE "(.+)" "${torch_folder}/lib/lib\\1.so")
  set(TORCH_INCLUDE_DIRS "${torch_folder}/include" "${torch_folder}/include/torch/csrc/api/include")
else()
  find_package(Torch REQUIRED)
endif()
add_library(sequela_torch INTERFACE)
target_link_libraries(sequela_torch INTERFACE ${TORCH_LIBRARIES})
target_include_directories(sequela_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
# Without OpenMP, torch's parallel loops (templates) run on one thread. The runtime must be torch's own: a
# second one would bring its own threads.
file(GLOB torch_openmp "${torch_folder}/lib/libgomp*.so*")
if(NOT torch_openmp)
  find_package(OpenMP REQUIRED)
  set(torch_openmp ${OpenMP_CXX_LIBRARIES})
endif()
target_compile_options(sequela_torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
target_link_libraries(sequela_torch INTERFACE ${torch_openmp})

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
list(APPEND CMAKE_BUILD_RPATH "${pyarrow_folder}" "${torch_folder}/lib")

# DuckDB's library is loaded when `sequela etl` needs it (etl/duckdb_api.h): nothing is linked to it, and a build without it works.
set(duckdb_folder "${CMAKE_SOURCE_DIR}/.venv-duckdb")
list(APPEND CMAKE_BUILD_RPATH "${duckdb_folder}")
