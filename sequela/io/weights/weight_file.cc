#include "sequela/io/weights/weight_file.h"

#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/shards.h"
#include "sequela/io/weights/tf_bundle.h"
#include "sequela/io/weights/torch_reader.h"

namespace sequela {
namespace {

using Owners = std::vector<std::shared_ptr<const void>>;

WeightFile open_torch(const std::shared_ptr<const MappedFile>& file, WeightFormat format) {
  const std::span<const std::byte> bytes(file->data(), file->size());
  TorchTensors content = format == WeightFormat::torch_zip ? read_torch_zip(bytes, file->path())
                                                           : read_torch_legacy(bytes, file->path());
  Owners owners = std::move(content.owners);
  owners.push_back(file);
  return {file->path(), format, std::move(content.tensors), std::move(owners)};
}

// A safetensors file starts with its header's length, and the header with a brace.
bool may_be_safetensors(std::span<const std::byte> bytes) {
  return bytes.size() > sizeof(uint64_t) && bytes[sizeof(uint64_t)] == std::byte{'{'};
}

[[noreturn]] void fail_unknown(const MappedFile& file) {
  if (file.size() == 0) fail_weights(file.path(), "is empty");
  throw FileError(file.path(), "is no file of weights that is known",
                  "give safetensors, a file of torch.save or a TensorFlow checkpoint");
}

}  // namespace

const char* weight_format_name(WeightFormat format) {
  switch (format) {
    case WeightFormat::safetensors:
      return "safetensors";
    case WeightFormat::torch_zip:
      return "PyTorch zip pickle";
    case WeightFormat::torch_legacy:
      return "PyTorch legacy pickle";
    case WeightFormat::tf_bundle:
      return "TensorFlow bundle";
  }
  return "";
}

WeightFile::WeightFile(std::string path, WeightFormat format, std::vector<TensorView> tensors,
                       Owners owners)
    : path_(std::move(path)),
      format_(format),
      tensors_(std::move(tensors)),
      owners_(std::move(owners)) {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!index_.emplace(tensors_[i].name, i).second) {
      fail_weights(path_, str("names the tensor '", printable(tensors_[i].name), "' twice"));
    }
  }
}

const TensorView* WeightFile::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

const TensorView& WeightFile::get(const std::string& name) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) throw FileError(path_, str("holds no tensor '", printable(name), "'"));
  return *tensor;
}

WeightFile open_weights(const std::string& path) {
  if (is_shard_index(path)) return open_shards(path);
  const std::optional<std::string> bundle = find_tf_bundle(path);
  if (bundle) {
    TfBundle content = open_tf_bundle(*bundle);
    return {*bundle + ".index", WeightFormat::tf_bundle, std::move(content.tensors),
            std::move(content.owners)};
  }
  auto file = std::make_shared<const MappedFile>(path);
  const std::span<const std::byte> bytes(file->data(), file->size());
  if (is_torch_zip(bytes)) return open_torch(file, WeightFormat::torch_zip);
  if (is_torch_legacy(bytes)) return open_torch(file, WeightFormat::torch_legacy);
  if (!may_be_safetensors(bytes) && !path.ends_with(".safetensors")) fail_unknown(*file);
  auto tensors = parse_safetensors(bytes, path).tensors;
  return {path, WeightFormat::safetensors, std::move(tensors), {file}};
}

}  // namespace sequela
