#pragma once

#include <cstdint>
#include <span>

namespace sequela {

// What unicode_text.h needs of the Unicode Character Database 15.0; the .cc is made by
// tools/make_unicode_tables.py. All tables ascend.

struct CodeRange {
  char32_t first;
  char32_t last;
};

// Category Cc, Cf or Co; category P; category Mn: of the characters that Unicode 8.0 has.
extern const std::span<const CodeRange> kDroppedControls;
extern const std::span<const CodeRange> kPunctuation;
extern const std::span<const CodeRange> kNonspacingMarks;
// The property White_Space.
extern const std::span<const CodeRange> kWhiteSpace;

// Every `step`-th character from first to last has a simple lower case, `offset` further on.
struct CaseRun {
  char32_t first;
  char32_t last;
  char32_t step;
  int32_t offset;
};
extern const std::span<const CaseRun> kLowerCase;

// Full canonical decomposition, without that of Hangul syllables; zeros fill up.
struct Decomposition {
  char32_t code;
  char32_t parts[4];
};
extern const std::span<const Decomposition> kDecompositions;

}  // namespace sequela
