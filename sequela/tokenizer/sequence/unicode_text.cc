#include "sequela/tokenizer/sequence/unicode_text.h"

#include <algorithm>
#include <span>

#include "sequela/tokenizer/sequence/unicode_tables.h"

namespace sequela {
namespace {

bool is_in(char32_t c, std::span<const CodeRange> ranges) {
  const auto range = std::ranges::lower_bound(ranges, c, {}, &CodeRange::last);
  return range != ranges.end() && range->first <= c;
}

bool is_ascii_alphanumeric(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Hangul syllables are decomposed by rule: Unicode Standard, section 3.12.
constexpr char32_t kFirstSyllable = 0xAC00, kNumSyllables = 11172;
constexpr char32_t kFirstLead = 0x1100, kFirstVowel = 0x1161, kBeforeFirstTail = 0x11A7;
constexpr char32_t kNumTails = 28, kSyllablesPerLead = 21 * kNumTails;

void append_jamo(char32_t syllable, std::u32string* out) {
  const char32_t tail = syllable % kNumTails;
  out->push_back(kFirstLead + syllable / kSyllablesPerLead);
  out->push_back(kFirstVowel + syllable % kSyllablesPerLead / kNumTails);
  if (tail != 0) out->push_back(kBeforeFirstTail + tail);
}

}  // namespace

bool is_dropped_control(char32_t c) {
  if (c == 0 || c == 0xFFFD) return true;
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return is_in(c, kDroppedControls);
}

bool is_white_space(char32_t c) {
  return is_in(c, kWhiteSpace);
}

bool is_split_punctuation(char32_t c) {
  if (c < 128) return c > 32 && c < 127 && !is_ascii_alphanumeric(c);
  if (c == 0x166D || c == 0x111C9) return true;  // until Unicode 11
  return is_in(c, kPunctuation);
}

bool is_nonspacing_mark(char32_t c) {
  if (c == 0x1734) return true;  // until Unicode 13
  // Since Unicode 9 to 11 only.
  if (c == 0x1885 || c == 0x1886 || c == 0xA9BD || c == 0x111C9) return false;
  return is_in(c, kNonspacingMarks);
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
  if (c - kFirstSyllable < kNumSyllables) return append_jamo(c - kFirstSyllable, out);
  if (c < kDecompositions.front().code) {
    *out += c;
    return;
  }
  const auto found = std::ranges::lower_bound(kDecompositions, c, {}, &Decomposition::code);
  if (found == kDecompositions.end() || found->code != c) {
    *out += c;
    return;
  }
  for (char32_t part : found->parts) {
    if (part != 0) *out += part;
  }
}

void append_lower_case(char32_t c, std::u32string* out) {
  if (c == 0x130) {  // the one whose lower case is two characters: i and a dot above
    *out += U"i\u0307";
    return;
  }
  if (c < 128) {
    *out += c >= 'A' && c <= 'Z' ? c + 32 : c;
    return;
  }
  const auto run = std::ranges::lower_bound(kLowerCase, c, {}, &CaseRun::last);
  const bool is_upper =
      run != kLowerCase.end() && run->first <= c && (c - run->first) % run->step == 0;
  *out += is_upper ? static_cast<char32_t>(static_cast<int32_t>(c) + run->offset) : c;
}

}  // namespace sequela
