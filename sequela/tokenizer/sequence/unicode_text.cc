#include "sequela/tokenizer/sequence/unicode_text.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include <algorithm>

namespace sequela {
namespace {

constexpr int kUnicodeOfCategories = 8;

bool is_old(char32_t c) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] <= kUnicodeOfCategories;
}

bool is_in(char32_t c, uint32_t category_mask) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & category_mask) != 0 && is_old(c);
}

const UNormalizer2* nfd() {
  UErrorCode code = U_ZERO_ERROR;
  static const UNormalizer2* const normalizer = unorm2_getNFDInstance(&code);
  return normalizer;
}

}  // namespace

bool is_dropped_control(char32_t c) {
  if (c == 0 || c == 0xFFFD) return true;
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return is_in(c, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK);
}

bool is_white_space(char32_t c) {
  return u_isUWhiteSpace(static_cast<UChar32>(c));
}

bool is_split_punctuation(char32_t c) {
  if (c < 128) return c > 32 && c < 127 && !u_isalnum(static_cast<UChar32>(c));
  if (c == 0x166D || c == 0x111C9) return true;  // until Unicode 11
  return is_in(c, U_GC_P_MASK);
}

bool is_nonspacing_mark(char32_t c) {
  if (c == 0x1734) return true;  // until Unicode 13
  // Since Unicode 9 to 11 only.
  if (c == 0x1885 || c == 0x1886 || c == 0xA9BD || c == 0x111C9) return false;
  return is_in(c, U_GC_MN_MASK);
}

bool is_cjk_ideograph(char32_t c) {
  // The sixth range begins where tokenizers has it begin.
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0xF900, 0xFAFF},  {0x20000, 0x2A6DF},
      {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

void append_decomposed(char32_t c, std::u32string* out) {
  UChar buffer[32];
  UErrorCode code = U_ZERO_ERROR;
  const int32_t size =
      c < 0xC0 ? -1 : unorm2_getDecomposition(nfd(), static_cast<UChar32>(c), buffer, 32, &code);
  if (size < 0 || U_FAILURE(code)) {
    *out += c;
    return;
  }
  for (int32_t i = 0; i < size;) {
    UChar32 part;
    U16_NEXT(buffer, i, size, part);
    *out += static_cast<char32_t>(part);
  }
}

void append_lower_case(char32_t c, std::u32string* out) {
  if (c == 0x130) {  // the one whose lower case is two characters: i and a dot above
    *out += U"i\u0307";
    return;
  }
  *out += static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
}

void append_utf8(char32_t c, std::string* out) {
  char buffer[4];
  int32_t size = 0;
  U8_APPEND_UNSAFE(buffer, size, static_cast<UChar32>(c));
  out->append(buffer, static_cast<size_t>(size));
}

}  // namespace sequela
