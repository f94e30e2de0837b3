#include "sequela/core/sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "sequela/core/error.h"

namespace sequela {

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(evp); }
};

Digest sha256(const void* data, size_t size) {
  Digest digest;
  SHA256(static_cast<const unsigned char*>(data), size, digest.data());
  return digest;
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
  SEQUELA_CHECK(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::update(const void* data, size_t size) {
  SEQUELA_CHECK(EVP_DigestUpdate(context_->evp, data, size) == 1);
}

Digest Sha256::finish() {
  Digest digest;
  SEQUELA_CHECK(EVP_DigestFinal_ex(context_->evp, digest.data(), nullptr) == 1);
  return digest;
}

}  // namespace sequela
