# Flags of the kernels for one instruction set. Those files include simd.h and plain declarations only, so that no
# inline code compiled with these flags can end up in a function that every CPU runs; everything else is baseline.
file(GLOB avx2_kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/nn/kernels/*_avx2.cc)
file(GLOB avx2vnni_kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/nn/kernels/*_avx2vnni.cc)
file(GLOB avx512_kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/nn/kernels/*_avx512.cc)
file(GLOB avx512bf16_kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/nn/kernels/*_avx512bf16.cc)
set(kernel_flags -O3 -fno-math-errno -fno-trapping-math -Wno-psabi -Wno-unused-function -Wno-uninitialized
    -Wno-maybe-uninitialized)
set(avx2_flags ${kernel_flags} -mavx2 -mfma -mf16c)
set_source_files_properties(${avx2_kernels} PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${avx2_flags}")
set_source_files_properties(${avx2vnni_kernels} PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${avx2_flags};-mavxvnni")
set(avx512_flags ${kernel_flags} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
set_source_files_properties(${avx512_kernels} PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${avx512_flags}")
set_source_files_properties(${avx512bf16_kernels} PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${avx512_flags};-mavx512bf16")

# The GPU's functions (nn/cuda), or what stands in for them.
# The latter is an object of its own, so that a program with functions of its own (tests/cuda_on_cpu) does without it.
set_source_files_properties(${CMAKE_SOURCE_DIR}/sequela/nn/cuda/absent.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
file(GLOB cuda_glue CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/nn/cuda/*_cuda.cc)
set(SEQUELA_CUDA_ARCHITECTURES "80;90" CACHE STRING "GPUs that the CUDA kernels are compiled for")
if(SEQUELA_CUDA)
  enable_language(CUDA)
  # CMake 3.25 does not know nvcc 13's language flags.
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/sequela/nn/cuda/absent.cc PROPERTIES HEADER_FILE_ONLY ON)
else()
  set_source_files_properties(${cuda_glue} PROPERTIES HEADER_FILE_ONLY ON)
endif()

# Call after sequela_layer(nn).
function(sequela_add_cuda_kernels)
  if(NOT SEQUELA_CUDA)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/nn/cuda/*.cu)
  add_library(sequela_nn_cuda STATIC ${sources})
  set_target_properties(sequela_nn_cuda PROPERTIES CUDA_STANDARD 20 CUDA_ARCHITECTURES "${SEQUELA_CUDA_ARCHITECTURES}")
  target_include_directories(sequela_nn_cuda PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(sequela_nn PUBLIC sequela_nn_cuda)
endfunction()
