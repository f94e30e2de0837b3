#include "sequela/core/sha256.h"

// The low-level functions: linked statically, the general ones would bring most of libcrypto.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "sequela/core/error.h"

namespace sequela {

struct Sha256::Context {
  SHA256_CTX state;
};

Digest sha256(const void* data, size_t size) {
  Sha256 hash;
  hash.update(data, size);
  return hash.finish();
}

std::string to_hex(const Digest& digest) {
  static const char* const kDigits = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  SEQUELA_CHECK(SHA256_Init(&context_->state) == 1);
}

Sha256::~Sha256() = default;

void Sha256::update(const void* data, size_t size) {
  SEQUELA_CHECK(SHA256_Update(&context_->state, data, size) == 1);
}

Digest Sha256::finish() {
  Digest digest;
  SEQUELA_CHECK(SHA256_Final(digest.data(), &context_->state) == 1);
  return digest;
}

}  // namespace sequela
