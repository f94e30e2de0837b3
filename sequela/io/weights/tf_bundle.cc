// Layout of the index: a sorted string table. Its first key, "", has a BundleHeaderProto {1: number
// of shards, 2: endianness (0 little)}; every other is a tensor's name with a BundleEntryProto {1:
// type, 2: shape {2: dimension {1: size}}, 3: shard, 4: offset, 5: size, 6: crc32c, 7: slices of a
// partitioned variable}. A data file is the tensors' bytes, little-endian and row-major.
// Source: tensorflow/core/protobuf/tensor_bundle.proto, util/tensor_bundle/tensor_bundle.cc.
#include "sequela/io/weights/tf_bundle.h"

#include <cstdio>
#include <map>

#include "sequela/io/file.h"
#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/sstable.h"

namespace sequela {
namespace {

using Bytes = std::span<const std::byte>;

constexpr int64_t kMaxShards = 99999;  // five digits in a file's name
constexpr size_t kMaxRank = 16;
constexpr uint64_t kTextType = 7;

// TensorFlow's DataType by number.
const std::map<uint64_t, DType> kTypes = {
    {1, DType::float32},   {2, DType::float64}, {3, DType::int32},    {4, DType::uint8},
    {5, DType::int16},     {6, DType::int8},    {9, DType::int64},    {10, DType::boolean},
    {14, DType::bfloat16}, {17, DType::uint16}, {19, DType::float16}, {22, DType::uint32},
    {23, DType::uint64}};

// One field of a protocol buffer.
struct Field {
  uint64_t number = 0;
  uint64_t value = 0;  // of a number
  Bytes bytes;         // of a message or text
};

Field read_field(ByteReader* reader) {
  const uint64_t tag = reader->varint();
  Field field{.number = tag >> 3};
  switch (tag & 7) {
    case 0:
      field.value = reader->varint();
      break;
    case 1:
      field.value = reader->value<uint64_t>();
      break;
    case 2:
      field.bytes = reader->take(reader->varint());
      break;
    case 5:
      field.value = reader->value<uint32_t>();
      break;
    default:
      reader->fail("holds a broken entry");
  }
  return field;
}

struct Entry {
  uint64_t type = 0;
  std::vector<int64_t> shape;
  uint64_t shard = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  bool has_slices = false;
};

int64_t read_dimension(Bytes bytes, const std::string& path) {
  ByteReader reader(bytes, path);
  int64_t size = 0;
  while (reader.left() > 0) {
    const Field field = read_field(&reader);
    if (field.number == 1) size = static_cast<int64_t>(field.value);
  }
  if (size < 0) reader.fail("holds a tensor of an unknown shape");
  return size;
}

std::vector<int64_t> read_shape(Bytes bytes, const std::string& path) {
  ByteReader reader(bytes, path);
  std::vector<int64_t> shape;
  while (reader.left() > 0) {
    const Field field = read_field(&reader);
    if (field.number == 2) shape.push_back(read_dimension(field.bytes, path));
    const bool is_unknown = field.number == 3 && field.value != 0;
    if (is_unknown || shape.size() > kMaxRank) reader.fail("holds a tensor of an unknown shape");
  }
  return shape;
}

Entry read_entry(Bytes bytes, const std::string& path) {
  ByteReader reader(bytes, path);
  Entry entry;
  while (reader.left() > 0) {
    const Field field = read_field(&reader);
    switch (field.number) {
      case 1:
        entry.type = field.value;
        break;
      case 2:
        entry.shape = read_shape(field.bytes, path);
        break;
      case 3:
        entry.shard = field.value;
        break;
      case 4:
        entry.offset = field.value;
        break;
      case 5:
        entry.size = field.value;
        break;
      case 7:
        entry.has_slices = true;
        break;
      default:
        break;
    }
  }
  return entry;
}

int64_t read_num_shards(Bytes bytes, const std::string& path) {
  ByteReader reader(bytes, path);
  uint64_t num_shards = 0;
  while (reader.left() > 0) {
    const Field field = read_field(&reader);
    if (field.number == 1) num_shards = field.value;
    if (field.number == 2 && field.value != 0) reader.fail("was saved on a big-endian machine");
  }
  if (num_shards == 0 || num_shards > kMaxShards)
    reader.fail("names an impossible number of files");
  return static_cast<int64_t>(num_shards);
}

TensorView to_view(const std::string& name, const Entry& entry, DType dtype, Bytes shard,
                   const std::string& path) {
  int64_t num_bytes = dtype_size(dtype);
  for (const int64_t length : entry.shape) {
    if (__builtin_mul_overflow(num_bytes, length, &num_bytes)) {
      fail_weights(path, "holds a tensor too large to count");
    }
  }
  if (static_cast<uint64_t>(num_bytes) != entry.size) {
    fail_weights(path, "holds a tensor whose shape does not agree with its bytes");
  }
  if (entry.offset > shard.size() || entry.size > shard.size() - entry.offset) {
    fail_weights(path, "holds a tensor that reaches beyond the end of its data file");
  }
  return {.name = name,
          .dtype = dtype,
          .shape = entry.shape,
          .bytes = shard.subspan(entry.offset, entry.size)};
}

std::string shard_path(const std::string& prefix, int64_t shard, int64_t num_shards) {
  char suffix[32];
  std::snprintf(suffix, sizeof(suffix), ".data-%05d-of-%05d", static_cast<int>(shard),
                static_cast<int>(num_shards));
  return prefix + suffix;
}

}  // namespace

std::vector<TensorView> read_tf_bundle(
    Bytes index, const std::string& path, Checksums checksums,
    const std::function<Bytes(int64_t shard, int64_t num_shards)>& shard) {
  std::vector<TensorView> tensors;
  int64_t num_shards = 0;
  read_sstable(index, path, checksums, [&](const std::string& key, Bytes value) {
    if (key.empty()) {
      num_shards = read_num_shards(value, path);
      return;
    }
    const Entry entry = read_entry(value, path);
    if (entry.type == kTextType) return;
    if (entry.has_slices) {
      throw FileError(path, "holds the partitioned variable '" + printable(key) + "'",
                      "save the checkpoint without partitioned variables");
    }
    const auto type = kTypes.find(entry.type);
    if (type == kTypes.end()) fail_weights(path, str("holds a tensor of type ", entry.type));
    if (entry.shard >= static_cast<uint64_t>(num_shards)) {
      fail_weights(path, "holds a tensor in a data file that it does not have");
    }
    const Bytes data = shard(static_cast<int64_t>(entry.shard), num_shards);
    tensors.push_back(to_view(key, entry, type->second, data, path));
  });
  if (num_shards == 0) fail_weights(path, "is no TensorFlow index: it has no header");
  return tensors;
}

TfBundle open_tf_bundle(const std::string& prefix) {
  const std::string path = prefix + ".index";
  const MappedFile index(path);
  std::map<int64_t, std::shared_ptr<const MappedFile>> shards;
  const auto find_shard = [&](int64_t shard, int64_t num_shards) -> Bytes {
    auto& file = shards[shard];
    if (!file) file = std::make_shared<const MappedFile>(shard_path(prefix, shard, num_shards));
    return {file->data(), file->size()};
  };
  TfBundle bundle;
  bundle.tensors = read_tf_bundle({index.data(), index.size()}, path, Checksums::check, find_shard);
  for (const auto& entry : shards) bundle.owners.push_back(entry.second);
  return bundle;
}

std::optional<std::string> find_tf_bundle(const std::string& path) {
  if (path.ends_with(".index")) return path.substr(0, path.size() - 6);
  const size_t data = path.rfind(".data-");
  const std::string prefix = path.substr(0, data);
  if (data != std::string::npos && path_exists(prefix + ".index")) return prefix;
  if (!path_exists(path) && path_exists(path + ".index")) return path;
  return std::nullopt;
}

}  // namespace sequela
