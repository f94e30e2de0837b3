# Finds torch and Arrow inside the pip wheels of a Python environment.
#
# SEQUELA_PYTHON names the interpreter; `make` passes that of .venv. Defines the interface targets
# sequela_torch and sequela_arrow. pyarrow ships versioned libraries only, so they are linked by file.
set(SEQUELA_PYTHON "${CMAKE_SOURCE_DIR}/.venv/bin/python" CACHE FILEPATH "Python with torch and pyarrow")
if(NOT EXISTS "${SEQUELA_PYTHON}")
  message(FATAL_ERROR "No Python at ${SEQUELA_PYTHON}. Run `make setup` first, or pass -DSEQUELA_PYTHON=...")
endif()

execute_process(
  COMMAND ${SEQUELA_PYTHON} -c
          "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0]); print(u.find_spec('pyarrow').submodule_search_locations[0])"
  OUTPUT_VARIABLE wheel_folders OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" wheel_folders "${wheel_folders}")
list(GET wheel_folders 0 torch_folder)
list(GET wheel_folders 1 pyarrow_folder)

list(APPEND CMAKE_PREFIX_PATH "${torch_folder}/share/cmake")
find_package(Torch REQUIRED)
add_library(sequela_torch INTERFACE)
target_link_libraries(sequela_torch INTERFACE ${TORCH_LIBRARIES})
target_include_directories(sequela_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})

file(GLOB arrow_libraries "${pyarrow_folder}/libarrow.so.*" "${pyarrow_folder}/libparquet.so.*")
list(FILTER arrow_libraries EXCLUDE REGEX "\\.so\\.[0-9]+\\.")
list(LENGTH arrow_libraries num_arrow_libraries)
if(NOT num_arrow_libraries EQUAL 2)
  message(FATAL_ERROR "Expected libarrow and libparquet in ${pyarrow_folder}, found: ${arrow_libraries}")
endif()
add_library(sequela_arrow INTERFACE)
target_link_libraries(sequela_arrow INTERFACE ${arrow_libraries})
target_include_directories(sequela_arrow SYSTEM INTERFACE "${pyarrow_folder}/include")
list(APPEND CMAKE_BUILD_RPATH "${pyarrow_folder}" "${torch_folder}/lib")
