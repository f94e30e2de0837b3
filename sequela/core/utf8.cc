#include "sequela/core/utf8.h"

#include <cstddef>
#include <cstdint>

namespace sequela {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kReplacementBytes = "\xEF\xBF\xBD";

// The bytes of the character at the front of a text that is not empty, 0 if none begins there.
size_t character_size(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || size > text.size()) return 0;
  // The second byte is narrower than 80..BF where longer forms, surrogates or U+110000 would begin.
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

char32_t code_point(std::string_view character) {
  const auto lead = static_cast<uint8_t>(character[0]);
  if (character.size() == 1) return lead;
  char32_t point = lead & (0x7F >> character.size());
  for (const char c : character.substr(1)) point = point << 6 | (static_cast<uint8_t>(c) & 0x3F);
  return point;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t size = character_size(text);
    valid += size == 0 ? kReplacementBytes : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return valid;
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string points;
  while (!text.empty()) {
    const size_t size = character_size(text);
    points += size == 0 ? kReplacement : code_point(text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return points;
}

void append_utf8(char32_t point, std::string* text) {
  const auto continuation = [](char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (point < 0x80) {
    *text += static_cast<char>(point);
  } else if (point < 0x800) {
    *text += {static_cast<char>(0xC0 | point >> 6), continuation(point)};
  } else if (point < 0x10000) {
    *text += {static_cast<char>(0xE0 | point >> 12), continuation(point >> 6), continuation(point)};
  } else {
    *text += {static_cast<char>(0xF0 | point >> 18), continuation(point >> 12),
              continuation(point >> 6), continuation(point)};
  }
}

}  // namespace sequela
