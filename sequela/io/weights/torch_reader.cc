// Layout of the zip: <name>/data.pkl, a pickle; <name>/byteorder, "little"; <name>/data/<key>, the
// bytes of a storage; more that is not needed. All stored, the storages at multiples of 64 bytes.
//
// Layout of the older form: five pickles: the magic number 0x1950a86a20f9469cfc6c, the version
// 1001, a dict of the system (little_endian), the value, a list of the storages' keys; then per key
// an int64, the number of elements, and the elements.
//
// Source: torch/serialization.py (_save, _legacy_save, _legacy_load).
#include "sequela/io/weights/torch_reader.h"

#include <algorithm>

#include "sequela/io/crc.h"
#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/pickle_heap.h"
#include "sequela/io/weights/zip_reader.h"

namespace sequela {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr int64_t kLegacyVersion = 1001;
constexpr std::string_view kPickleName = "/data.pkl";
constexpr size_t kCopyFactor = 2;  // copies of strided views, against the file's size

std::string_view to_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[noreturn]] void fail_big_endian(const std::string& path) {
  throw FileError(path, "was saved on a big-endian machine", "re-save it with safetensors");
}

const ZipEntry& find_pickle(const std::vector<ZipEntry>& entries, const std::string& path) {
  for (const ZipEntry& entry : entries) {
    const bool is_it = entry.name.ends_with(kPickleName) &&
                       entry.name.find('/') == entry.name.size() - kPickleName.size();
    if (is_it) return entry;
  }
  throw FileError(path, "is a zip without a data.pkl: torch.save did not write it",
                  "give a file of torch.save or of safetensors");
}

// The next pickle of the older form.
PickleResult next_pickle(Bytes* rest, const std::string& path) {
  PickleResult result = run_pickle(*rest, path);
  *rest = rest->subspan(result.num_bytes);
  return result;
}

void check_system(const PickleValue& system, const std::string& path) {
  const PickleValue* is_little = system.is_dict() ? system.find("little_endian") : nullptr;
  if (is_little == nullptr || !is_little->is_bool()) {
    fail_weights(path, "does not say which system it was saved on");
  }
  if (!is_little->boolean()) fail_big_endian(path);
}

TorchStorages read_legacy_storages(const PickleValue& keys, const PickleResult& content, Bytes rest,
                                   const std::string& path) {
  std::map<std::string_view, const PickleStorage*> known;
  for (const PickleStorage& storage : content.storages) {
    const PickleStorage* first = known.emplace(storage.key, &storage).first->second;
    if (first->num_bytes() != storage.num_bytes()) {
      fail_weights(path, "describes a storage in two ways");
    }
  }
  ByteReader reader(rest, path);
  TorchStorages storages;
  if (!keys.is_list()) fail_weights(path, "does not list its storages");
  for (const PickleValue& key : keys.list()) {
    const auto found = key.is_text() ? known.find(key.text()) : known.end();
    if (found == known.end()) fail_weights(path, "lists a storage that is not described");
    if (reader.value<int64_t>() != found->second->size) {
      fail_weights(path, "holds a storage of another size than described");
    }
    const Bytes bytes = reader.take(static_cast<uint64_t>(found->second->num_bytes()));
    if (!storages.emplace(key.text(), bytes).second) fail_weights(path, "lists a storage twice");
  }
  return storages;
}

}  // namespace

bool is_torch_zip(Bytes bytes) {
  return to_text(bytes).starts_with(std::string_view("PK\x03\x04", 4));
}

// The magic number is all of the first pickle but its frame.
bool is_torch_legacy(Bytes bytes) {
  const std::string_view text = to_text(bytes.first(std::min<size_t>(bytes.size(), 32)));
  return text.starts_with('\x80') && text.find(kMagic) != std::string_view::npos;
}

TorchTensors read_torch_zip(Bytes bytes, const std::string& path, Checksums checksums) {
  const std::vector<ZipEntry> entries = read_zip(bytes, path);
  const ZipEntry& pickle = find_pickle(entries, path);
  if (checksums == Checksums::check &&
      crc32(0, pickle.bytes.data(), pickle.bytes.size()) != pickle.crc) {
    fail_weights(path, "is damaged: the checksum of its data.pkl is wrong");
  }
  const std::string folder(pickle.name.substr(0, pickle.name.size() - kPickleName.size() + 1));
  const std::string data = folder + "data/";
  TorchStorages storages;
  for (const ZipEntry& entry : entries) {
    if (entry.name == folder + "byteorder" && to_text(entry.bytes) == "big") fail_big_endian(path);
    if (entry.name.starts_with(data))
      storages[std::string(entry.name.substr(data.size()))] = entry.bytes;
  }
  return to_torch_tensors(read_pickle(pickle.bytes, path), storages, kCopyFactor * bytes.size(),
                          path);
}

TorchTensors read_torch_legacy(Bytes bytes, const std::string& path) {
  Bytes rest = bytes;
  const PickleValue magic = next_pickle(&rest, path).value;
  if (!magic.is_bytes() || magic.bytes() != kMagic) fail_weights(path, "is no file of torch.save");
  const PickleValue version = next_pickle(&rest, path).value;
  if (!version.is_int() || version.integer() != kLegacyVersion) {
    fail_weights(path, "is of a version of torch.save that is not known");
  }
  check_system(next_pickle(&rest, path).value, path);
  const PickleResult content = next_pickle(&rest, path);
  const PickleValue keys = next_pickle(&rest, path).value;
  const TorchStorages storages = read_legacy_storages(keys, content, rest, path);
  return to_torch_tensors(content.value, storages, kCopyFactor * bytes.size(), path);
}

}  // namespace sequela
