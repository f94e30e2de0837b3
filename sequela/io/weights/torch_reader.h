#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sequela/io/safetensors.h"
#include "sequela/io/weights/checksums.h"
#include "sequela/io/weights/pickle.h"

namespace sequela {

// The tensors of a file whose bytes are in memory. Their bytes lie in the file's, or in `owners`.
struct TorchTensors {
  std::vector<TensorView> tensors;
  std::vector<std::shared_ptr<const void>> owners;
};

using TorchStorages = std::map<std::string, std::span<const std::byte>, std::less<>>;

// What torch.save wrote: a zip, or the older form. Tensors only; see pickle.h for what is refused
// and weight_file.h for which dict is taken. `path` names the file in errors. Throws FileError.
TorchTensors read_torch_zip(std::span<const std::byte> bytes, const std::string& path,
                            Checksums checksums = Checksums::check);
TorchTensors read_torch_legacy(std::span<const std::byte> bytes, const std::string& path);
bool is_torch_zip(std::span<const std::byte> bytes);
bool is_torch_legacy(std::span<const std::byte> bytes);

// The tensors of the dict of weights in a pickle's value. Views with strides are copied, at most
// `max_copied_bytes` in all.
TorchTensors to_torch_tensors(const PickleValue& root, const TorchStorages& storages,
                              size_t max_copied_bytes, const std::string& path);

}  // namespace sequela
