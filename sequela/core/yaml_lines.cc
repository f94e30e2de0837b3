#include "sequela/core/yaml_lines.h"

#include <algorithm>

#include "sequela/core/error.h"

namespace sequela {

void YamlSource::fail(int line, const std::string& problem) const {
  throw ConfigError(str(path, ": line ", line, ": ", problem));
}

YamlSource split_yaml(const std::string& text, const std::string& path) {
  YamlSource source{path, {}};
  size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  for (int number = 1; begin < text.size(); ++number) {
    size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const size_t last = line.find_last_not_of(" \t\r");
    line.resize(last == std::string::npos ? 0 : last + 1);
    const size_t indent = std::min(line.find_first_not_of(' '), line.size());
    if (indent < line.size() && line[indent] == '\t') {
      source.fail(number, "a tab in the indentation. Fix: indent with spaces.");
    }
    source.lines.push_back({number, indent, line.substr(indent)});
  }
  return source;
}

bool is_blank(const YamlLine& line) {
  return line.content.empty() || line.content[0] == '#';
}

std::string without_comment(std::string_view content) {
  char quote = 0;
  for (size_t i = 0; i < content.size(); ++i) {
    const char c = content[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
      continue;
    }
    const bool begins = i == 0 || content[i - 1] == ' ' || content[i - 1] == '\t';
    if (c == '#' && begins) {
      content = content.substr(0, i);
      break;
    }
    // A quote opens only where a value may begin; "patient's" holds none.
    const bool may_open = begins || std::string_view("{[,:(").find(content[i - 1]) != content.npos;
    if ((c == '"' || c == '\'') && may_open) quote = c;
  }
  const size_t last = content.find_last_not_of(" \t");
  return std::string(content.substr(0, last == content.npos ? 0 : last + 1));
}

YamlNode plain_scalar(const YamlSource& source, const std::string& text, int line) {
  YamlNode node;
  node.line = line;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return node;
  if (std::string_view("&*!%@`|>").find(text[0]) != std::string_view::npos) {
    source.fail(line, str("a value that begins with '", text[0],
                          "' (anchors, aliases and tags are not read). Fix: put it in quotes."));
  }
  node.kind = YamlNode::Kind::scalar;
  node.text = text;
  return node;
}

void add_entry(const YamlSource& source, const std::string& key, int key_line, YamlNode value,
               YamlNode* map) {
  if (map->find(key) != nullptr) source.fail(key_line, str("the key '", key, "' stands twice"));
  map->keys.push_back(key);
  map->key_lines.push_back(key_line);
  map->items.push_back(std::move(value));
}

}  // namespace sequela
