#include "sequela/core/json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr int kMaxDepth = 64;
// JSON has no word for these, Python writes bare words; in memory they are strings that begin with
// a control character, so that no real text can be taken for one.
constexpr std::string_view kWords[] = {"NaN", "-Infinity", "Infinity"};
constexpr char kMark = '\x01';

// Quotes Python's bare words, so that a strict parser takes them, and bounds the nesting.
std::string quote_bare_words(const std::string& text, const std::string& path) {
  std::string out;
  out.reserve(text.size());
  bool is_in_string = false;
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_in_string) {
      if (c == '\\' && i + 1 < text.size())
        out += text[i++];
      else if (c == '"')
        is_in_string = false;
      out += text[i];
      continue;
    }
    if (c == '"') is_in_string = true;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxDepth) throw FileError(path, str("JSON nested deeper than ", kMaxDepth));
    bool is_word = false;
    for (std::string_view word : kWords) {
      if (text.compare(i, word.size(), word) != 0) continue;
      out += str("\"\\u0001", word, "\"");
      i += word.size() - 1;
      is_word = true;
      break;
    }
    if (!is_word) out += c;
  }
  return out;
}

}  // namespace

Json parse_json(const std::string& text, const std::string& path) {
  try {
    return Json::parse(quote_bare_words(text, path));
  } catch (const nlohmann::json::exception& error) {
    const std::string what = error.what();
    const size_t at = what.find("at line");
    throw FileError(path,
                    "not valid JSON" + (at == std::string::npos
                                            ? std::string()
                                            : " " + what.substr(at, what.find(':', at) - at)));
  }
}

std::string json_text(const Json& json, int indent) {
  std::string text = json.dump(indent, ' ', false, Json::error_handler_t::replace);
  for (std::string_view word : kWords) {
    const std::string quoted = str("\"\\u0001", word, "\"");
    for (size_t at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at + 1)) {
      text.replace(at, quoted.size(), word);
    }
  }
  return text;
}

Json json_double(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return std::string(1, kMark) + "NaN";
  return std::string(1, kMark) + (value < 0 ? "-Infinity" : "Infinity");
}

double json_number(const Json& json, const std::string& path) {
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (text == str(kMark, "NaN")) return std::nan("");
    if (text == str(kMark, "Infinity")) return INFINITY;
    if (text == str(kMark, "-Infinity")) return -INFINITY;
  }
  throw FileError(path, "a number was expected");
}

}  // namespace sequela
