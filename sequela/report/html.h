#pragma once

#include <string>
#include <string_view>

#include "sequela/report/page.h"

namespace sequela {

// A text as HTML, safe in an element and in a quoted attribute. What is no UTF-8, and control
// characters, become U+FFFD.
std::string to_html(std::string_view text);

// A number as a reader and JavaScript's Number() read it: six significant digits, no exponent from
// 1e-6 to 1e15. Empty if it is not finite.
std::string number_text(double value);

// The text of a cell without its mark, not escaped.
std::string cell_text(const Cell& cell);

// SHA-256 in base64, as a content security policy names a script. Source: W3C, CSP Level 3.
std::string script_hash(std::string_view script);

}  // namespace sequela
