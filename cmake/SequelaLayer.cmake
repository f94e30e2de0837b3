# sequela_layer(NAME [DEPS layer...] [LIBS library...] [TORCH] [UNITY] [HEADERS header...] [FILES pattern... [BUT file...]])
#
# One folder is one layer is one static library is one test binary: sequela/NAME/**.cc becomes
# sequela_NAME and tests/NAME/*.cc becomes test_NAME. TORCH: its files see torch. HEADERS: what to precompile for its
# library alone. UNITY: six files
# are compiled as one, so that what they make of templates (JSON, options, autograd) is made once; names in their unnamed
# namespaces must differ. SEQUELA_UNITY=OFF compiles each alone, SEQUELA_ALONE=NAME those of one layer (tools/mutants.py).
# FILES: these of its files alone, without BUT (SequelaGpuParts.cmake). The global property SEQUELA_LAYERS lists the
# libraries.
#
# Headers that most files read are compiled once for all layers with TORCH and once for all others,
# by the first such layer; likewise for their tests.
function(sequela_precompile target owner)
  if(TARGET ${owner} AND NOT target STREQUAL owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

set(SEQUELA_PLAIN_HEADERS <algorithm> <filesystem> <functional> <map> <nlohmann/json.hpp> <span> <string> <vector>)
set(SEQUELA_TORCH_HEADERS ${SEQUELA_PLAIN_HEADERS} <ATen/ATen.h>)

function(sequela_layer name)
  cmake_parse_arguments(ARG "TORCH;UNITY" "" "DEPS;LIBS;HEADERS;FILES;BUT" ${ARGN})
  if(ARG_FILES)
    list(TRANSFORM ARG_FILES PREPEND ${CMAKE_SOURCE_DIR}/sequela/${name}/)
    file(GLOB sources CONFIGURE_DEPENDS ${ARG_FILES})
    list(TRANSFORM ARG_BUT PREPEND ${CMAKE_SOURCE_DIR}/sequela/${name}/)
    list(REMOVE_ITEM sources ${ARG_BUT})
  else()
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/${name}/*.cc)
  endif()
  set(dependencies ${ARG_LIBS})
  foreach(dependency ${ARG_DEPS})
    list(APPEND dependencies sequela_${dependency})
  endforeach()

  if(sources)
    set_property(GLOBAL APPEND PROPERTY SEQUELA_LAYERS sequela_${name})
    add_library(sequela_${name} STATIC ${sources})
    target_link_libraries(sequela_${name} PUBLIC ${dependencies})
    target_include_directories(sequela_${name} PUBLIC ${CMAKE_SOURCE_DIR})
    if(ARG_UNITY AND SEQUELA_UNITY AND NOT name STREQUAL "${SEQUELA_ALONE}")
      set_target_properties(sequela_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
      # What is private to a file is as private to the six of them.
      target_compile_options(sequela_${name} PRIVATE -Wno-subobject-linkage)
    endif()
    if(ARG_HEADERS)
      target_precompile_headers(sequela_${name} PRIVATE ${ARG_HEADERS})
    elseif(ARG_TORCH)
      sequela_precompile(sequela_${name} sequela_nn ${SEQUELA_TORCH_HEADERS})
    else()
      sequela_precompile(sequela_${name} sequela_core ${SEQUELA_PLAIN_HEADERS})
    endif()
  else()
    add_library(sequela_${name} INTERFACE)
    target_link_libraries(sequela_${name} INTERFACE ${dependencies})
    target_include_directories(sequela_${name} INTERFACE ${CMAKE_SOURCE_DIR})
  endif()

  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*.cc)
  if(tests AND SEQUELA_PARTS STREQUAL "all")
    add_executable(test_${name} ${tests} ${CMAKE_SOURCE_DIR}/tests/support/main.cc)
    target_link_libraries(test_${name} PRIVATE sequela_${name} GTest::gtest ZLIB::ZLIB)
    target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR})
    # A test runs once for each time that it is compiled; -O3 would take half as long again.
    target_compile_options(test_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
    target_compile_definitions(test_${name} PRIVATE
      SEQUELA_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SEQUELA_BINARY="${CMAKE_BINARY_DIR}/bin/sequela")
    if(ARG_TORCH)
      sequela_precompile(test_${name} test_nn ${SEQUELA_TORCH_HEADERS} <gtest/gtest.h>)
    else()
      sequela_precompile(test_${name} test_core ${SEQUELA_PLAIN_HEADERS} <gtest/gtest.h>)
    endif()
    if(name STREQUAL "cli")
      add_dependencies(test_${name} sequela)
    endif()
    include(GoogleTest)
    # Its list of tests takes 7 s where torch's libraries come from a cold disk.
    gtest_discover_tests(test_${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 600)
  endif()
endfunction()
