#include "sequela/ontology/utf8.h"

#include <algorithm>
#include <cstdint>

namespace sequela {
namespace {

uint8_t byte_at(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

// The bytes of the character that begins at `begin`, 0 if none does.
size_t character_size(std::string_view text, size_t begin) {
  const uint8_t lead = byte_at(text, begin);
  if (lead < 0x80) return 1;
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || begin + size > text.size()) return 0;
  for (size_t i = begin + 1; i < begin + size; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  }
  const uint8_t second = byte_at(text, begin + 1);
  const bool is_wrong = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return is_wrong ? 0 : size;
}

}  // namespace

std::string to_valid_utf8(std::string_view text) {
  const bool is_ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  if (is_ascii) return std::string(text);
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t size = character_size(text, i);
    if (size == 0) {
      result += "\xEF\xBF\xBD";
      ++i;
    } else {
      result.append(text.substr(i, size));
      i += size;
    }
  }
  return result;
}

}  // namespace sequela
