#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sequela {

using Digest = std::array<uint8_t, 32>;

Digest sha256(const void* data, size_t size);
std::string to_hex(const Digest& digest);

// SHA-256 over data that comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(const void* data, size_t size);
  Digest finish();  // once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace sequela
