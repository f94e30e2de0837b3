#include "fuzz/harness.h"
#include "sequela/io/weights/weight_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sequela;
  return fuzz_file("model.safetensors.index.json", data, size,
                   [](const std::string& path) { touch(open_weights(path).tensors()); });
}
