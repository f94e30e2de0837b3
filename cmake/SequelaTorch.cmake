# Finds torch inside the pip wheels of a Python environment.
#
# SEQUELA_PYTHON names the interpreter: that of .venv, which `make` has made and a build by pip in the same folder
# takes too (the same headers at the same place, so that the compiler's cache serves both); else pip's own. Defines the
# interface target sequela_torch and the function sequela_find_package(NAME), which sets NAME_folder.
set(default_python "${CMAKE_SOURCE_DIR}/.venv/bin/python")
if(SKBUILD AND NOT EXISTS "${default_python}")
  set(default_python "${Python_EXECUTABLE}")
endif()
set(SEQUELA_PYTHON "${default_python}" CACHE FILEPATH "Python with torch and pyarrow")
if(NOT EXISTS "${SEQUELA_PYTHON}")
  message(FATAL_ERROR "No Python at ${SEQUELA_PYTHON}. Run `make setup` first, or pass -DSEQUELA_PYTHON=...")
endif()

# Under pip, PYTHONPATH shows the packages of the build alone; those of the environment are seen without it.
function(sequela_find_package package)
  set(ask ${SEQUELA_PYTHON} -c
      "from importlib.util import find_spec as find\nprint(find('${package}').submodule_search_locations[0])")
  execute_process(COMMAND ${ask} RESULT_VARIABLE failed OUTPUT_VARIABLE folder ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=PYTHONPATH ${ask} RESULT_VARIABLE failed
                    OUTPUT_VARIABLE folder ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  if(failed)
    message(FATAL_ERROR "${SEQUELA_PYTHON} has no ${package}. Run `make setup`, or install it there.")
  endif()
  set(${package}_folder "${folder}" PARENT_SCOPE)
endfunction()

sequela_find_package(torch)
list(APPEND CMAKE_PREFIX_PATH "${torch_folder}/share/cmake")
add_library(sequela_torch INTERFACE)
if(EXISTS "${torch_folder}/lib/libtorch_cuda.so")
  # By file: torch's own CMake files want much of a CUDA toolkit, even where nothing needs it. Nothing of ours names a
  # symbol of torch_cuda, whose operations register themselves.
  set(TORCH_INCLUDE_DIRS "${torch_folder}/include" "${torch_folder}/include/torch/csrc/api/include")
  set(torch_libraries torch torch_cpu c10)
  if(SEQUELA_CUDA)
    list(APPEND torch_libraries torch_cuda c10_cuda)
  endif()
  list(TRANSFORM torch_libraries REPLACE "(.+)" "${torch_folder}/lib/lib\\1.so")
  list(JOIN torch_libraries "," torch_libraries)
  set(TORCH_LIBRARIES "-Wl,--push-state,--no-as-needed,${torch_libraries},--pop-state")
else()
  find_package(Torch REQUIRED)
endif()
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
list(APPEND CMAKE_BUILD_RPATH "${torch_folder}/lib")
