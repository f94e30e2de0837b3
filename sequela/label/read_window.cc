#include <algorithm>
#include <array>
#include <charconv>

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"
#include "sequela/label/duration.h"
#include "sequela/label/task_file.h"

namespace sequela {
namespace {

constexpr std::array kLabelForms = {
    LabelAs::present, LabelAs::absent, LabelAs::count, LabelAs::first, LabelAs::last,
    LabelAs::min,     LabelAs::max,    LabelAs::mean,  LabelAs::code,  LabelAs::time_to_event};

std::string trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t") + 1 - begin));
}

// "trigger", "start", "end", "gap.end"
bool is_reference(const std::string& text) {
  const size_t dot = text.find('.');
  if (dot == std::string::npos) return text == "trigger" || text == "start" || text == "end";
  const std::string edge = text.substr(dot + 1);
  return is_task_name(text.substr(0, dot)) && (edge == "start" || edge == "end");
}

Boundary read_boundary(const KeyReader& keys, const std::string& key) {
  Boundary boundary{.line = keys.line(key)};
  const auto text = keys.text(key);
  if (!text || *text == "None" || text->empty()) return boundary;
  size_t at = text->find("->");
  boundary.kind = Boundary::Kind::next;
  if (at == std::string::npos) {
    at = text->find("<-");
    boundary.kind = Boundary::Kind::previous;
  }
  size_t width = 2;
  if (at == std::string::npos) {
    at = text->find_first_of("+-");
    boundary.kind = at == std::string::npos ? Boundary::Kind::same : Boundary::Kind::offset;
    width = 0;
  }
  boundary.reference = trim(text->substr(0, at));
  if (!is_reference(boundary.reference)) {
    keys.fail(boundary.line, key,
              str("'", boundary.reference,
                  "' is no place. Fix: give trigger, start, end, WINDOW.start or WINDOW.end, then "
                  "perhaps '+ 24h', '- 2 days', '-> PREDICATE' or '<- PREDICATE'."));
  }
  if (boundary.kind == Boundary::Kind::same) return boundary;
  const std::string rest = trim(text->substr(at + width));
  if (boundary.kind != Boundary::Kind::offset) {
    boundary.predicate = rest;
    return boundary;
  }
  const auto offset = parse_duration(rest);
  if (!offset) {
    keys.fail(boundary.line, key,
              str("'", rest, "' is no length of time. Fix: give one as '+ 24h' or '- 30 days'."));
  }
  boundary.offset_us = *offset;
  if (*offset == 0) boundary.kind = Boundary::Kind::same;
  return boundary;
}

std::optional<int64_t> read_bound(const KeyReader& keys, const std::string& key,
                                  const YamlNode& node, const std::string& text) {
  if (text.empty() || text == "None" || text == "null") return std::nullopt;
  int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    keys.fail(node.line, key, str("'", text, "' is no count. Fix: give (min, max), as (1, None)."));
  }
  return value;
}

// "(1, None)", "(,3)", or a list of two.
CountRule read_count(const KeyReader& keys, const std::string& name, const YamlNode& node) {
  CountRule rule{.predicate = name, .line = keys.line(name)};
  std::vector<std::string> bounds;
  if (node.is_list()) {
    for (const YamlNode& item : node.items) bounds.push_back(item.text);
  } else if (node.is_scalar()) {
    std::string text = trim(node.text);
    if (text.starts_with('(')) text.erase(0, 1);
    if (text.ends_with(')')) text.pop_back();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      bounds.push_back(trim(text.substr(begin, end - begin)));
      begin = end + 1;
    }
  }
  if (bounds.size() != 2) {
    keys.fail(node.line, name,
              "expected (min, max), as (1, None); inside { } it must stand in quotes");
  }
  rule.min = read_bound(keys, name, node, bounds[0]);
  rule.max = read_bound(keys, name, node, bounds[1]);
  if (!rule.min && !rule.max) keys.fail(node.line, name, "neither a least nor a greatest count");
  if (rule.min && rule.max && *rule.min > *rule.max) {
    keys.fail(node.line, name, "the least count is above the greatest");
  }
  return rule;
}

LabelAs read_label_as(const KeyReader& keys) {
  const auto text = keys.text("label_as");
  if (!text) return LabelAs::present;
  std::vector<std::string> names;
  for (const LabelAs as : kLabelForms) {
    if (*text == to_text(as)) return as;
    names.push_back(to_text(as));
  }
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  const std::string suggestion = did_you_mean(*text, names);
  keys.fail(keys.line("label_as"), "label_as",
            str("'", *text, "' is no form of label", suggestion.empty() ? "." : suggestion,
                " Known: ", known, "."));
}

bool require_boolean(const KeyReader& keys, const std::string& key) {
  const auto value = keys.boolean(key);
  if (!value) keys.fail(keys.line(key), key, "is missing. Fix: give true or false.");
  return *value;
}

}  // namespace

TaskWindow read_window(const std::string& path, const std::string& name, int line,
                       const YamlNode& node) {
  const std::string place = "windows." + name;
  const KeyReader keys(path, place, node);
  if (!is_task_name(name)) {
    keys.fail(line, "", "a name is made of letters, digits and '_'");
  }
  keys.allow({"start", "end", "start_inclusive", "end_inclusive", "has", "label", "label_as",
              "competing", "index_timestamp"});
  TaskWindow window{.name = name, .line = line};
  window.start = read_boundary(keys, "start");
  window.end = read_boundary(keys, "end");
  window.is_start_inclusive = require_boolean(keys, "start_inclusive");
  window.is_end_inclusive = require_boolean(keys, "end_inclusive");
  if (const YamlNode* has = keys.find("has"); has != nullptr && !has->is_null()) {
    const KeyReader rules(path, place + ".has", *has);
    for (size_t i = 0; i < has->keys.size(); ++i) {
      window.has.push_back(read_count(rules, has->keys[i], has->items[i]));
    }
  }
  window.label = keys.text("label").value_or("");
  window.label_line = keys.line("label");
  window.label_as = read_label_as(keys);
  window.competing = keys.text("competing").value_or("");
  if (!window.competing.empty() && window.label_as != LabelAs::time_to_event) {
    keys.fail(keys.line("competing"), "competing", "goes with label_as: time_to_event alone");
  }
  if (window.label.empty() && keys.find("label_as") != nullptr) {
    keys.fail(keys.line("label_as"), "label_as", "there is no label");
  }
  if (const auto index = keys.text("index_timestamp")) {
    if (*index != "start" && *index != "end") {
      keys.fail(keys.line("index_timestamp"), "index_timestamp", "expected start or end");
    }
    window.index_timestamp = *index == "start" ? Edge::start : Edge::end;
  }
  return window;
}

}  // namespace sequela
