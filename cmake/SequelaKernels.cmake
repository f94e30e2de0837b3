# Flags of the kernels for one instruction set. Those files include simd.h and plain declarations only, so that no
# inline code compiled with these flags can end up in a function that every CPU runs; everything else is baseline.
file(GLOB avx2_kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/nn/kernels/*_avx2.cc)
file(GLOB avx512_kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sequela/nn/kernels/*_avx512.cc)
set(kernel_flags -O3 -fno-math-errno -fno-trapping-math -Wno-psabi -Wno-unused-function)
set_source_files_properties(${avx2_kernels} PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${kernel_flags};-mavx2;-mfma;-mf16c")
set_source_files_properties(${avx512_kernels} PROPERTIES
  SKIP_PRECOMPILE_HEADERS ON
  COMPILE_OPTIONS "${kernel_flags};-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mfma;-mprefer-vector-width=512")
