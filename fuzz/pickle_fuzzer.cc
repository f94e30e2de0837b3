#include "fuzz/harness.h"
#include "sequela/io/weights/pickle.h"

namespace {

// Walks over the whole value, as its users do.
size_t count_values(const sequela::PickleValue& value) {
  size_t count = 1;
  if (value.is_list()) {
    for (const auto& item : value.list()) count += count_values(item);
  }
  if (value.is_dict()) {
    for (const auto& [key, item] : value.dict()) count += count_values(key) + count_values(item);
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sequela;
  return fuzz_bytes(data, size, [&](std::span<const std::byte> bytes) {
    static volatile size_t sink = 0;
    sink = count_values(read_pickle(bytes, "fuzz.types"));
  });
}
