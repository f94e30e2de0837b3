#include "fuzz/harness.h"
#include "sequela/io/weights/npz_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sequela;
  return fuzz_bytes(data, size,
                    [](std::span<const std::byte> bytes) { touch(parse_npz(bytes, "fuzz.npz")); });
}
