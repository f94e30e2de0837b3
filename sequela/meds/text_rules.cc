#include "sequela/meds/text_rules.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "sequela/core/nan.h"

namespace sequela {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The length of the white space at the front of `text` (what Python's str.strip() cuts), 0 if none.
size_t leading_space(std::string_view text) {
  static constexpr std::string_view kWide[] = {
      "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
      "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
      "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
      "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};
  if (text.empty()) return 0;
  const char c = text.front();
  if (c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f')) return 1;
  for (std::string_view wide : kWide) {
    if (text.starts_with(wide)) return wide.size();
  }
  return 0;
}

std::string_view strip(std::string_view text) {
  while (const size_t length = leading_space(text)) text.remove_prefix(length);
  for (bool again = true; again && !text.empty();) {
    again = false;
    for (size_t length = 1; length <= 3 && length <= text.size(); ++length) {
      if (leading_space(text.substr(text.size() - length)) != length) continue;
      text.remove_suffix(length);
      again = true;
      break;
    }
  }
  return text;
}

std::optional<double> parse_word(std::string_view text) {
  std::string lower;
  for (char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (lower == "inf" || lower == "infinity") return std::numeric_limits<double>::infinity();
  if (lower == "nan") return kNaN;
  return std::nullopt;
}

// Copies a run of digits with single underscores between them; false if an underscore is out of
// place.
bool take_digits(std::string_view* text, std::string* out) {
  bool was_digit = false;
  while (!text->empty()) {
    const char c = text->front();
    if (c == '_') {
      if (!was_digit || text->size() < 2 || !is_digit((*text)[1])) return false;
      was_digit = false;
    } else if (is_digit(c)) {
      out->push_back(c);
      was_digit = true;
    } else {
      break;
    }
    text->remove_prefix(1);
  }
  return true;
}

// Rewrites digits [. digits] [e [sign] digits] without underscores; empty if it is no such number.
std::string plain_number(std::string_view text) {
  std::string out;
  if (!take_digits(&text, &out)) return "";
  size_t num_digits = out.size();
  if (!text.empty() && text.front() == '.') {
    out += '.';
    text.remove_prefix(1);
    if (!take_digits(&text, &out)) return "";
    num_digits = out.size() - 1;
  }
  if (num_digits == 0) return "";
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    out += 'e';
    text.remove_prefix(1);
    if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
      out += text.front();
      text.remove_prefix(1);
    }
    const size_t before = out.size();
    if (!take_digits(&text, &out) || out.size() == before) return "";
  }
  return text.empty() ? out : "";
}

}  // namespace

std::optional<double> parse_python_float(std::string_view text) {
  text = strip(text);
  double sign = 1;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  if (!is_digit(text.front()) && text.front() != '.') {
    const auto word = parse_word(text);
    if (!word) return std::nullopt;
    return sign * *word;
  }
  const std::string number = plain_number(text);
  if (number.empty()) return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
  // Too large or too small: strtod gives infinity or the nearest small number, as Python does.
  if (result.ec == std::errc::result_out_of_range) value = std::strtod(number.c_str(), nullptr);
  return sign * value;
}

}  // namespace sequela
