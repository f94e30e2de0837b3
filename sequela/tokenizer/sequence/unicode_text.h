#pragma once

#include <string>

namespace sequela {

// Character classes as Hugging Face's tokenizers 0.20 has them: Unicode 8.0 for categories (it
// knows no later ones), the current Unicode for white space, decomposition and case.
bool is_dropped_control(char32_t c);  // NUL, U+FFFD, Cc, Cf, Co; not tab and line ends
bool is_white_space(char32_t c);
bool is_split_punctuation(char32_t c);  // every ASCII one, and category P
bool is_nonspacing_mark(char32_t c);
bool is_cjk_ideograph(char32_t c);

// Appends the canonical decomposition (NFD, without reordering of marks).
void append_decomposed(char32_t c, std::u32string* out);
void append_lower_case(char32_t c, std::u32string* out);

}  // namespace sequela
