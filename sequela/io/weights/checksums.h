#pragma once

namespace sequela {

// Fuzzers skip checksums, so that a changed byte gets past them.
enum class Checksums { check, skip };

}  // namespace sequela
