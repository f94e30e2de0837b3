# -DSEQUELA_PARTS=gpu: what tools/gpu_check runs, with torch alone: neither Arrow nor any package of the system.
#
# The layers nn, distributed, model and train, and of those below and of the encoders the files that need no more.
# third_party/ of a bundle (tools/make_gpu_bundle.py) holds the two libraries that come along as sources; else the
# system's are taken.
set(googletest /usr/src/googletest/googletest)
if(EXISTS ${CMAKE_SOURCE_DIR}/third_party)
  set(googletest ${CMAKE_SOURCE_DIR}/third_party/googletest)
  include_directories(SYSTEM ${CMAKE_SOURCE_DIR}/third_party)
endif()
add_library(sequela_gtest STATIC EXCLUDE_FROM_ALL ${googletest}/src/gtest-all.cc)
target_include_directories(sequela_gtest SYSTEM PUBLIC ${googletest}/include PRIVATE ${googletest})
add_library(GTest::gtest ALIAS sequela_gtest)

include(SequelaTorch)
sequela_layer(core FILES *.cc BUT sha256.cc LIBS Threads::Threads)  # that is OpenSSL's
sequela_layer(io FILES crc.cc file.cc replace_folder.cc safetensors.cc tfevents.cc weights/*.cc DEPS core)
include(SequelaKernels)
sequela_layer(nn UNITY FILES *.cc */*.cc BUT check_cache.cc DEPS core io LIBS sequela_torch TORCH)  # needs sha256.cc
sequela_add_cuda_kernels()
sequela_layer(distributed DEPS core TORCH LIBS sequela_torch)
sequela_layer(batch UNITY FILES filler.cc loader.cc split.cc DEPS core nn TORCH)
sequela_layer(model UNITY DEPS core io nn TORCH)
sequela_layer(train UNITY DEPS core io batch nn model distributed TORCH)
sequela_layer(encoders UNITY FILES ops/*.cc progression/named_tensors.cc bert/bert_config.cc bert/bert_embeddings.cc
              bert/bert_input.cc bert/bert_model.cc bert/bert_weights.cc bert/borrowed_tensor.cc DEPS core io nn TORCH)
