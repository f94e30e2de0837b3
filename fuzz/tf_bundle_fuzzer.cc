#include "fuzz/harness.h"
#include "sequela/io/weights/tf_bundle.h"
#include "sequela/io/weights/tf_names.h"

// The input is the index; the data files are of fixed bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sequela;
  static const std::vector<std::byte> shard(256);
  return fuzz_bytes(data, size, [](std::span<const std::byte> bytes) {
    const auto find_shard = [](int64_t, int64_t) { return std::span<const std::byte>(shard); };
    const auto tensors = read_tf_bundle(bytes, "fuzz.index", Checksums::skip, find_shard);
    touch(tensors);
    for (const TensorView& tensor : tensors) tf_to_hf_name(tensor.name);
  });
}
