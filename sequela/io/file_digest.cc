// The digests of io/file.h, which OpenSSL computes: a file of its own, so that the rest needs none.

#include "sequela/io/file.h"

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/core/sha256.h"

namespace sequela {
namespace {

constexpr size_t kWholeHashBytes = size_t{64} << 20;
constexpr size_t kPartBytes = size_t{1} << 20;

}  // namespace

std::string file_digest(const std::string& path) {
  const MappedFile file(path);
  return to_hex(sha256(file.data(), file.size()));
}

std::string file_fingerprint(const std::string& path) {
  const MappedFile file(path);
  if (file.size() <= kWholeHashBytes) {
    return str(file.size(), ":", to_hex(sha256(file.data(), file.size())));
  }
  Sha256 hash;
  hash.update(file.data(), kPartBytes);
  hash.update(file.data() + file.size() - kPartBytes, kPartBytes);
  const auto modified = std::filesystem::last_write_time(path).time_since_epoch().count();
  return str(file.size(), ":", modified, ":", to_hex(hash.finish()));
}

}  // namespace sequela
