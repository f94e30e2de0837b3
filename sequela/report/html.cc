#include "sequela/report/html.h"

#include <cmath>
#include <cstdio>

#include "sequela/core/sha256.h"
#include "sequela/core/utf8.h"

namespace sequela {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::string_view escape_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
}

// Digits with trailing zeros after the point taken away.
std::string without_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::string to_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : to_valid_utf8(text)) {
    const std::string_view escape = escape_of(c);
    if (!escape.empty()) {
      out += escape;
    } else if (is_control(c)) {
      out += kReplacement;
    } else {
      out += c;
    }
  }
  return out;
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "";
  if (value == 0) return "0";
  char text[64];
  const double size = std::abs(value);
  if (size < 1e-6 || size >= 1e15) {
    std::snprintf(text, sizeof text, "%.5e", value);
    return text;
  }
  const int decimals = std::max(0, 5 - static_cast<int>(std::floor(std::log10(size))));
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return without_zeros(text);
}

std::string cell_text(const Cell& cell) {
  if (const auto* whole = std::get_if<int64_t>(&cell)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&cell)) return number_text(*number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* marked = std::get_if<Marked>(&cell)) return marked->text;
  return "";
}

std::string script_hash(std::string_view script) {
  static constexpr char kLetters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const Digest digest = sha256(script.data(), script.size());
  std::string text;
  for (size_t i = 0; i < digest.size(); i += 3) {
    const size_t left = std::min<size_t>(3, digest.size() - i);
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) bits = (bits << 8) | (j < left ? digest[i + j] : 0);
    for (size_t j = 0; j < 4; ++j) {
      text += j <= left ? kLetters[(bits >> (18 - 6 * j)) & 63] : '=';
    }
  }
  return text;
}

}  // namespace sequela
