#include "sequela/io/utf8.h"

#include <cstdint>

namespace sequela {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// Takes one code point off the front of the text.
char32_t take_code_point(std::string_view* text) {
  const auto first = static_cast<uint8_t>(text->front());
  const size_t size = first < 0x80                    ? 1
                      : first >= 0xc2 && first < 0xe0 ? 2
                      : first >= 0xe0 && first < 0xf0 ? 3
                      : first >= 0xf0 && first < 0xf5 ? 4
                                                      : 0;
  char32_t point = size <= 1 ? first : first & (0x7f >> size);
  bool is_valid = size > 0 && size <= text->size();
  for (size_t i = 1; is_valid && i < size; ++i) {
    const auto next = static_cast<uint8_t>((*text)[i]);
    is_valid = (next & 0xc0) == 0x80;
    point = point << 6 | (next & 0x3f);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  is_valid = is_valid && point >= kSmallest[size] && point <= 0x10FFFF &&
             (point < 0xD800 || point > 0xDFFF);
  text->remove_prefix(is_valid ? size : 1);
  return is_valid ? point : kReplacement;
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string points;
  while (!text.empty()) points.push_back(take_code_point(&text));
  return points;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t point = take_code_point(&text);
    const std::string_view taken = before.substr(0, before.size() - text.size());
    valid += point == kReplacement ? std::string_view("\xef\xbf\xbd") : taken;
  }
  return valid;
}

}  // namespace sequela
