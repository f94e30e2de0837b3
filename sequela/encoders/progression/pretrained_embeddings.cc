#include "sequela/encoders/progression/pretrained_embeddings.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "sequela/core/error.h"
#include "sequela/io/weights/npz_reader.h"
#include "sequela/io/weights/weight_file.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

const char* const kTarget = "encoder.code_embeddings.weight";

// How tables are called, the surest first.
constexpr std::array<std::string_view, 5> kTableNames = {
    "word_embeddings.weight", "concept_embeddings.weight", "code_embeddings.weight",
    "embedding.weight", "embeddings"};

std::optional<at::ScalarType> to_type(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return at::kFloat;
    case DType::float16:
      return at::kHalf;
    case DType::bfloat16:
      return at::kBFloat16;
    case DType::float64:
      return at::kDouble;
    default:
      return std::nullopt;
  }
}

at::Tensor to_table(const TensorView& view, const std::string& path) {
  const auto type = to_type(view.dtype);
  if (!type || view.shape.size() != 2) {
    throw FileError(path,
                    str("tensor '", view.name, "' is not a table of numbers", " (type ",
                        dtype_name(view.dtype), ", ", view.shape.size(), " dimensions)"),
                    "give a matrix [codes, size] of floats");
  }
  at::Tensor table = at::empty(view.shape, *type);  // the file's bytes may be unaligned
  if (!view.bytes.empty()) std::memcpy(table.data_ptr(), view.bytes.data(), view.bytes.size());
  return table.to(at::kFloat);
}

const TensorView* find_table(const std::vector<TensorView>& tensors) {
  for (const std::string_view name : kTableNames) {
    for (const TensorView& view : tensors) {
      if (view.name.ends_with(name) && view.shape.size() == 2) return &view;
    }
  }
  const TensorView* only = nullptr;  // the only matrix
  for (const TensorView& view : tensors) {
    if (view.shape.size() != 2) continue;
    if (only != nullptr) return nullptr;
    only = &view;
  }
  return only;
}

at::Tensor pick_table(const std::vector<TensorView>& tensors, const std::string& path) {
  const TensorView* view = find_table(tensors);
  if (view == nullptr) {
    throw FileError(path, "holds no table of code embeddings",
                    "it needs a tensor '...word_embeddings.weight' or "
                    "'...concept_embeddings.weight', or one matrix alone");
  }
  return to_table(*view, path);
}

}  // namespace

at::Tensor read_embedding_table(const std::string& path) {
  if (!fs::exists(path)) {
    throw FileError(path, "does not exist",
                    "give a model's folder, or a file with an extracted table");
  }
  if (path.ends_with(".npz") || path.ends_with(".npy")) {
    return pick_table(read_npz(path).arrays, path);
  }
  const WeightFile file = fs::is_directory(path) ? open_weight_folder(path) : open_weights(path);
  return pick_table(file.tensors(), file.path());
}

int64_t load_pretrained_embeddings(Parameters& parameters, const at::Tensor& table_WE,
                                   EmbeddingResize resize) {
  Parameter& target = parameters.get(kTarget);
  const int64_t rows = table_WE.size(0), size = table_WE.size(1);
  if (size != target.value.size(1)) {
    throw ConfigError(str("the pretrained embeddings have ", size, " numbers a code, the model ",
                          target.value.size(1), ". Fix: build the model with code_embed_dim ", size,
                          "."));
  }
  if (rows != target.value.size(0) && resize == EmbeddingResize::fail) {
    throw ConfigError(str("the pretrained embeddings are of ", rows,
                          " codes, the model's vocabulary "
                          "is of ",
                          target.value.size(0), ". Fix: build the model with vocab_size ", rows,
                          ", or allow to resize it."));
  }
  const at::Tensor values = table_WE.detach().to(target.value.options());
  if (rows == target.value.size(0)) {
    target.value.detach().copy_(values);
  } else {
    target.value = values.clone();
    target.gradient = at::Tensor();
    // The buffers that all parameters shared no longer hold this one.
    parameters.flat_values = parameters.flat_gradients = at::Tensor();
    for (Parameter& item : parameters.items) item.gradient = at::Tensor();
  }
  target.value.detach()[0].zero_();
  return rows;
}

at::Tensor scale_like_random_start(const at::Tensor& table_WE) {
  const double mean_square = table_WE.square().mean().item<double>();
  return mean_square > 0 ? table_WE / std::sqrt(mean_square) : table_WE;
}

}  // namespace sequela
