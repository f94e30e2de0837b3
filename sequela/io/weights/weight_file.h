#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sequela/io/safetensors.h"

namespace sequela {

enum class WeightFormat { safetensors, torch_zip, torch_legacy, tf_bundle };

const char* weight_format_name(WeightFormat format);  // "safetensors", "PyTorch zip pickle", ...

// The named tensors of a trained model, from one file or from the shards of one. Every tensor is a
// contiguous, row-major, little-endian array. Its bytes are those of the memory-mapped file (not
// always aligned to its type) but for a view with strides, which is copied once. The views live as
// long as this object or one moved from it.
class WeightFile {
 public:
  // `owners` keeps alive what the tensors' bytes point to. Throws FileError if a name occurs twice.
  WeightFile(std::string path, WeightFormat format, std::vector<TensorView> tensors,
             std::vector<std::shared_ptr<const void>> owners);

  const std::string& path() const { return path_; }  // the file, or the index of the shards
  WeightFormat format() const { return format_; }
  const std::vector<TensorView>& tensors() const { return tensors_; }  // in the file's order
  const TensorView* find(const std::string& name) const;               // nullptr if there is none
  const TensorView& get(const std::string& name) const;                // FileError if there is none

 private:
  std::string path_;
  WeightFormat format_;
  std::vector<TensorView> tensors_;
  std::map<std::string, size_t> index_;
  std::vector<std::shared_ptr<const void>> owners_;
};

// Opens a file of weights; what it is shows in its content, and for a TensorFlow bundle in its name
// ("X", "X.index" or "X.data-00000-of-0000N" all open the bundle X):
//   safetensors; torch.save's zip and its older form (tensors only, nothing is executed: see
//   pickle.h); TensorFlow 1 and 2 checkpoints (names as in TensorFlow, see tf_names.h; optimizer
//   slots and counters among them, variables of text left out);
//   "*.index.json" of a sharded Hugging Face model.
// A dict of dicts is searched for the weights: the outermost dict that holds a tensor, first under
// "state_dict", "model_state_dict", "model", "module", then wherever it is the only one. A lone
// tensor is called "tensor".
// Throws FileError: missing, truncated, inconsistent, of a type or layout not known, Python code.
WeightFile open_weights(const std::string& path);

// Opens the weights of a model's folder: the first there is of model.safetensors,
// model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json, model.pt, and a
// TensorFlow bundle (the one its "checkpoint" file names, else the only *.index). Throws FileError
// that lists what was looked for if there is none.
WeightFile open_weight_folder(const std::string& folder);

// Whether open_weight_folder would find weights with all their files, shards included. They are not
// opened.
bool has_weights(const std::string& folder);

}  // namespace sequela
