#include "sequela/encoders/bert/bert_folder.h"

#include <ATen/ATen.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/encoders/bert/bert_weights.h"
#include "sequela/encoders/bert/borrowed_tensor.h"
#include "sequela/io/file.h"
#include "sequela/io/safetensors.h"
#include "sequela/io/weights/tf_names.h"
#include "sequela/io/weights/weight_file.h"

namespace sequela {
namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.ends_with(end);
}

void replace_end(std::string& text, std::string_view old_end, std::string_view new_end) {
  if (!text.ends_with(old_end)) return;
  text.replace(text.size() - old_end.size(), old_end.size(), new_end);
}

// The name that bert_model.h speaks of; empty for what is not a weight of its own.
std::string normal_name(std::string name) {
  for (const char* wrapper : {"module.", "model.", "cehrbert."}) {
    if (name.starts_with(wrapper)) name.erase(0, std::strlen(wrapper));
  }
  for (const char* part : {"embeddings.", "encoder.", "pooler.", "cehr_bert_embeddings."}) {
    if (name.starts_with(part)) name.insert(0, "bert.");
  }
  replace_end(name, "LayerNorm.gamma", "LayerNorm.weight");
  replace_end(name, "LayerNorm.beta", "LayerNorm.bias");
  replace_end(name, "cls.predictions.decoder.bias", "cls.predictions.bias");
  const bool is_derived = ends_with(name, ".position_ids") || ends_with(name, ".token_type_ids") ||
                          name == "cls.predictions.decoder.weight";
  return is_derived ? "" : name;
}

std::optional<at::ScalarType> to_scalar_type(DType type) {
  switch (type) {
    case DType::float16:
      return at::kHalf;
    case DType::bfloat16:
      return at::kBFloat16;
    case DType::float32:
      return at::kFloat;
    case DType::float64:
      return at::kDouble;
    case DType::int64:
      return at::kLong;
    case DType::int32:
      return at::kInt;
    default:
      return std::nullopt;
  }
}

// A view of the file's memory where its alignment allows, which keeps the file open.
at::Tensor to_tensor(const TensorView& view, at::ScalarType type,
                     const std::shared_ptr<const WeightFile>& file) {
  const auto address = reinterpret_cast<uintptr_t>(view.bytes.data());
  if (address % static_cast<uintptr_t>(dtype_size(view.dtype)) != 0 || view.bytes.empty()) {
    at::Tensor copy = at::empty(view.shape, type);
    if (!view.bytes.empty()) std::memcpy(copy.data_ptr(), view.bytes.data(), view.bytes.size());
    return copy;
  }
  // Only of safetensors is it certain that all views lie in the mapped file.
  return borrow_tensor(view, type, file,
                       file->format() == WeightFormat::safetensors ? Memory::mapped : Memory::heap);
}

bool has_all_layers(const NamedTensors& weights) {
  for (const auto& [name, tensor] : weights) {
    if (name.starts_with("bert.encoder.layer.")) return true;
  }
  return false;
}

NamedTensors read_weights(const std::string& path) {
  const auto file = std::make_shared<const WeightFile>(open_weight_folder(path));
  NamedTensors weights;
  for (const TensorView& view : file->tensors()) {
    std::string source_name = view.name;
    bool is_transposed = false;
    if (file->format() == WeightFormat::tf_bundle) {
      const std::optional<HfName> hf = tf_to_hf_name(view.name);
      if (!hf) continue;
      source_name = hf->name;
      is_transposed = hf->is_transposed;
    }
    const std::string name = normal_name(source_name);
    if (name.empty()) continue;
    const std::optional<at::ScalarType> type = to_scalar_type(view.dtype);
    if (!type) {
      throw FileError(file->path(), str("tensor '", view.name, "' has type ",
                                        dtype_name(view.dtype), ", which no encoder uses"));
    }
    at::Tensor tensor = to_tensor(view, *type, file);
    if (is_transposed && tensor.dim() == 2) tensor = tensor.t().contiguous();
    if (tensor.is_floating_point()) tensor = tensor.to(at::kFloat);
    weights.emplace(name, std::move(tensor));
  }
  if (!has_all_layers(weights)) {
    throw FileError(file->path(), "holds no weights of a BERT encoder (bert.encoder.layer.…)",
                    "use the folder of a BERT, CEHR-BERT, Med-BERT or ClinicalBERT model");
  }
  return weights;
}

}  // namespace

bool BertFolder::has_pooler() const {
  return weights.contains("bert.pooler.dense.weight");
}

bool BertFolder::has_mlm_head() const {
  return weights.contains("cls.predictions.bias");
}

BertFolder open_bert_folder(const std::string& path) {
  const std::string config_path = (std::filesystem::path(path) / "config.json").string();
  if (!std::filesystem::is_directory(path)) {
    throw FileError(path, "is not a folder",
                    "give the folder that holds config.json and the model's weights");
  }
  BertFolder folder{.path = path, .config = BertConfig::read(config_path)};
  folder.weights = read_weights(path);
  if (folder.weights.contains(word_embeddings_name({.kind = BertKind::cehr_bert}))) {
    folder.config = BertConfig::read(config_path, BertKind::cehr_bert);
    folder.weights.try_emplace("bert.cehr_bert_embeddings.positional_embedding_layer.pe",
                               sinusoid_positions(folder.config));
  }
  check_bert_weights(folder.config, folder.weights, path);
  return folder;
}

void check_vocabulary_fits(const BertFolder& folder, int64_t num_codes) {
  if (num_codes <= folder.config.vocab_size) return;
  throw FileError(folder.path,
                  str("the vocabulary has ids up to ", num_codes - 1, ", the weights have ",
                      folder.config.vocab_size, " rows of code embeddings"),
                  "use the vocabulary that belongs to the model, or resize_vocabulary");
}

void write_bert_folder(const std::string& path, const BertConfig& config,
                       const NamedTensors& weights) {
  check_bert_weights(config, weights, path);
  AtomicFolder folder(path);
  write_bert_files(folder.partial_path(), config, weights);
  folder.commit();
}

void write_bert_files(const std::string& folder, const BertConfig& config,
                      const NamedTensors& weights) {
  config.write(folder + "/config.json");
  std::vector<at::Tensor> kept;
  std::vector<TensorView> views;
  for (const auto& [name, tensor] : weights) {
    const bool is_count = !tensor.is_floating_point();
    kept.push_back(tensor.detach().to(at::kCPU, is_count ? at::kLong : at::kFloat).contiguous());
    const at::Tensor& values = kept.back();
    views.push_back(
        {.name = name,
         .dtype = is_count ? DType::int64 : DType::float32,
         .shape = values.sizes().vec(),
         .bytes = {static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()}});
  }
  write_safetensors(folder + "/model.safetensors", std::move(views));
}

NamedTensors random_bert_weights(const BertConfig& config, uint64_t seed) {
  NamedTensors weights;
  std::vector<WeightShape> shapes = encoder_weight_shapes(config);
  for (auto&& more : {pooler_weight_shapes(config), mlm_weight_shapes(config)}) {
    shapes.insert(shapes.end(), more.begin(), more.end());
  }
  uint64_t ordinal = 0;
  for (const WeightShape& shape : shapes) {
    at::Tensor tensor = at::zeros(shape.shape, at::kFloat);
    const bool is_norm = shape.name.find("LayerNorm") != std::string::npos ||
                         shape.name.ends_with("concept_value_decoder_layer.2.weight");
    const bool is_wave = shape.name.ends_with(".w") || shape.name.ends_with(".phi");
    if (shape.name.ends_with(".pe")) {
      tensor = sinusoid_positions(config);
    } else if (shape.name.ends_with(".weight") && is_norm) {
      tensor.fill_(1);
    } else if (!shape.name.ends_with(".bias")) {
      Random random(hash_key(seed, ++ordinal));
      const double scale = is_wave ? 1 : config.initializer_range;
      float* values = tensor.mutable_data_ptr<float>();
      for (int64_t i = 0; i < tensor.numel(); ++i) {
        values[i] = static_cast<float>(random.normal() * scale);
      }
    }
    weights.emplace(shape.name, tensor);
  }
  return weights;
}

}  // namespace sequela
