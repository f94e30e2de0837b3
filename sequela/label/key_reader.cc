#include <algorithm>
#include <cctype>
#include <charconv>

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"
#include "sequela/label/task_file.h"

namespace sequela {
namespace {

template <class T>
std::optional<T> parse_whole(const std::string& text) {
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  T value{};
  const auto result = std::from_chars(begin, text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

KeyReader::KeyReader(const std::string& path, std::string place, const YamlNode& node)
    : path_(path), place_(std::move(place)), node_(node) {
  if (!node.is_map()) fail(node.line, "", "expected keys with values");
}

void KeyReader::fail(int line, const std::string& key, const std::string& problem) const {
  std::string place = place_;
  if (!key.empty()) place += (place.empty() ? "" : ".") + key;
  if (!place.empty()) place += ": ";
  throw ConfigError(str(path_, ": line ", line, ": ", place, problem));
}

int KeyReader::line(const std::string& key) const {
  const auto found = std::ranges::find(node_.keys, key);
  return found == node_.keys.end() ? node_.line : node_.key_lines[found - node_.keys.begin()];
}

std::optional<std::string> KeyReader::text(const std::string& key) const {
  const YamlNode* value = find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_scalar()) fail(value->line, key, "expected a text");
  return value->text;
}

std::optional<double> KeyReader::number(const std::string& key) const {
  const auto value = text(key);
  if (!value) return std::nullopt;
  const auto number = parse_whole<double>(*value);
  if (!number) fail(line(key), key, str("'", *value, "' is no number"));
  return number;
}

std::optional<int64_t> KeyReader::integer(const std::string& key) const {
  const auto value = text(key);
  if (!value) return std::nullopt;
  const auto number = parse_whole<int64_t>(*value);
  if (!number) fail(line(key), key, str("'", *value, "' is no whole number"));
  return number;
}

std::optional<bool> KeyReader::boolean(const std::string& key) const {
  auto value = text(key);
  if (!value) return std::nullopt;
  std::ranges::transform(*value, value->begin(), [](unsigned char c) { return std::tolower(c); });
  if (*value == "true") return true;
  if (*value == "false") return false;
  fail(line(key), key, str("'", *value, "' is neither true nor false"));
}

void KeyReader::allow(const std::vector<std::string>& keys) const {
  for (size_t i = 0; i < node_.keys.size(); ++i) {
    const std::string& key = node_.keys[i];
    if (std::ranges::find(keys, key) != keys.end()) continue;
    std::string known;
    for (const std::string& name : keys) known += (known.empty() ? "" : ", ") + name;
    const std::string suggestion = did_you_mean(key, keys);
    fail(node_.key_lines[i], key,
         str("unknown key", suggestion.empty() ? str(". Known: ", known) : suggestion));
  }
}

bool is_task_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c >= 0x80;
  });
}

}  // namespace sequela
