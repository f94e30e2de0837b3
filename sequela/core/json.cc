#include "sequela/core/json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr int kMaxDepth = 64;
// JSON has no word for these, Python writes bare words; in memory they are strings that begin with
// a control character, so that no real text can be taken for one.
constexpr std::string_view kWords[] = {"NaN", "-Infinity", "Infinity"};
constexpr char kMark = '\x01';
constexpr size_t kFewKeys = 16;

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

using Entries = Json::object_t::Container;

// For a few keys faster than a table of them.
bool are_distinct(const Entries& entries) {
  for (size_t i = 1; i < entries.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (entries[i].first == entries[j].first) return false;
    }
  }
  return true;
}

// Of a key that comes again the last value counts, in the place of the first.
void merge_repeated_keys(Entries& entries) {
  if (entries.size() <= kFewKeys && are_distinct(entries)) return;
  std::unordered_map<std::string_view, size_t> places;
  places.reserve(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto [first, is_new] = places.emplace(entries[i].first, i);
    if (!is_new) entries[first->second].second = std::move(entries[i].second);
  }
  if (places.size() == entries.size()) return;
  Entries merged;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (places.at(entries[i].first) == i) merged.push_back(std::move(entries[i]));
  }
  entries = std::move(merged);
}

// Builds the value that the parser reads. The library's own builder looks each key up among those
// before it, one by one: an object of a million keys would keep it for an hour.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool key(string_t& key) override {
    open_.back()->get_ref<Json::object_t&>().emplace_back(std::move(key), nullptr);
    return true;
  }
  bool end_object() override {
    merge_repeated_keys(open_.back()->get_ref<Json::object_t&>());
    return end_array();
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception& error) override {
    throw error;
  }

 private:
  bool add(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    open_.push_back(place(std::move(value)));
    return true;
  }
  Json* place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    return &(open_.back()->get_ref<Json::object_t&>().back().second = std::move(value));
  }

  Json root_;
  std::vector<Json*> open_;  // the outermost first
};

}  // namespace

Json parse_json(const std::string& text, const std::string& path) {
  try {
    Builder builder;
    Json::sax_parse(quote_bare_words(text, path), &builder);
    return builder.take();
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
