#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sequela/io/zip_writer.h"

namespace sequela {

// One entry of the dict in a torch file: a float32 tensor of this shape, or a list of texts
// (bytes that are not UTF-8 become U+FFFD).
struct TorchEntry {
  std::string name;
  std::variant<std::vector<int64_t>, std::vector<std::string>> shape_or_texts;
};

// Writes a file that torch.load(path, weights_only=True) opens as a dict, or as a tensor if that is
// the only entry and has no name. The caller names the entries first. The tensors' values follow in
// the same order, in pieces of any size, so that they need not be in memory whole.
// The file appears when finish() returns.
class TorchFileWriter {
 public:
  TorchFileWriter(const std::string& path, const std::vector<TorchEntry>& entries);
  void append(std::span<const float> values);
  void finish();

 private:
  void begin_next_tensor();
  void add_record(const std::string& name, const std::string& content);

  ZipWriter zip_;
  std::vector<int64_t> num_values_;  // of each tensor
  size_t next_tensor_ = 0;
  int64_t left_ = 0;  // values still missing in the current tensor
};

}  // namespace sequela
