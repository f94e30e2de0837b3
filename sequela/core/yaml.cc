#include "sequela/core/yaml.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "sequela/core/error.h"
#include "sequela/core/yaml_lines.h"

namespace sequela {
namespace {

constexpr int kMaxDepth = 32;

bool is_list_item(std::string_view content) {
  return content == "-" || content.starts_with("- ");
}

// A key at the beginning of a line, and what stands behind its colon.
struct KeyPart {
  std::string key;
  size_t value_at = 0;  // in the content, behind the colon and blanks
};

class BlockReader {
 public:
  explicit BlockReader(YamlSource source) : source_(std::move(source)) {}
  YamlNode read();

 private:
  YamlLine* current();  // the next line that says something; nullptr at the end
  std::optional<KeyPart> key_part(const YamlLine& line) const;
  YamlNode block(size_t indent, int depth);
  YamlNode map(size_t indent, int depth);
  YamlNode list(size_t indent, int depth);
  YamlNode entry_value(size_t indent, size_t value_at, int depth);
  YamlNode inline_value(size_t parent_indent, std::string text);
  YamlNode nested(size_t parent_indent, bool may_list, int line, int depth);
  YamlNode block_scalar(size_t parent_indent, const std::string& header, int line);
  void join_closed(size_t parent_indent, std::string* text);
  std::string join_plain(size_t parent_indent, std::string text);

  YamlSource source_;
  size_t next_ = 0;
};

YamlLine* BlockReader::current() {
  while (next_ < source_.lines.size() && is_blank(source_.lines[next_])) ++next_;
  return next_ < source_.lines.size() ? &source_.lines[next_] : nullptr;
}

std::optional<KeyPart> BlockReader::key_part(const YamlLine& line) const {
  const std::string& text = line.content;
  KeyPart part;
  size_t at = 0;
  if (text[0] == '"' || text[0] == '\'') {
    if (!is_closed(without_comment(text))) return std::nullopt;
    int number = line.number;
    part.key = read_quoted(source_, text, &at, &number).text;
  } else if (text[0] == '{' || text[0] == '[') {
    return std::nullopt;
  } else {
    const std::string bare = without_comment(text);
    at = bare.find(": ");
    if (at == std::string::npos && bare.ends_with(':')) at = bare.size() - 1;
    if (at == std::string::npos) return std::nullopt;
    part.key = bare.substr(0, bare.find_last_not_of(' ', at == 0 ? 0 : at - 1) + 1);
    if (at == 0 || part.key.starts_with("? ")) source_.fail(line.number, "a key that is no word");
  }
  if (at >= text.size() || text[at] != ':') return std::nullopt;
  part.value_at = std::min(text.find_first_not_of(' ', at + 1), text.size());
  return part;
}

YamlNode BlockReader::block(size_t indent, int depth) {
  if (depth > kMaxDepth) source_.fail(current()->number, "too many levels of nesting");
  const YamlLine& line = *current();
  if (is_list_item(line.content)) return list(indent, depth);
  if (key_part(line)) return map(indent, depth);
  const std::string text = line.content;
  return inline_value(indent == 0 ? 0 : indent - 1, text);
}

YamlNode BlockReader::map(size_t indent, int depth) {
  YamlNode node;
  node.kind = YamlNode::Kind::map;
  node.line = current()->number;
  while (YamlLine* line = current()) {
    if (line->indent < indent || line->content == "---" || line->content == "...") break;
    const auto part = key_part(*line);
    if (line->indent > indent) source_.fail(line->number, "indented deeper than its neighbours");
    if (!part || is_list_item(line->content)) {
      source_.fail(line->number, "expected 'key: value'");
    }
    const int key_line = line->number;
    add_entry(source_, part->key, key_line, entry_value(indent, part->value_at, depth), &node);
  }
  return node;
}

YamlNode BlockReader::entry_value(size_t indent, size_t value_at, int depth) {
  const YamlLine& line = *current();
  const std::string rest = line.content.substr(value_at);
  if (!without_comment(rest).empty()) return inline_value(indent, rest);
  const int number = line.number;
  ++next_;
  return nested(indent, true, number, depth);
}

// The block below a line that ends with a colon or a dash; null if there is none. A list may stand
// as far left as its key.
YamlNode BlockReader::nested(size_t parent_indent, bool may_list, int line, int depth) {
  const YamlLine* below = current();
  const bool is_inside =
      below != nullptr &&
      (below->indent > parent_indent ||
       (may_list && below->indent == parent_indent && is_list_item(below->content)));
  if (is_inside) return block(below->indent, depth + 1);
  YamlNode node;
  node.line = line;
  return node;
}

YamlNode BlockReader::list(size_t indent, int depth) {
  YamlNode node;
  node.kind = YamlNode::Kind::list;
  node.line = current()->number;
  while (YamlLine* line = current()) {
    if (line->indent < indent || !is_list_item(line->content)) break;
    if (line->indent > indent) source_.fail(line->number, "indented deeper than its neighbours");
    const size_t at = line->content.find_first_not_of(' ', 1);
    if (at == std::string::npos || line->content[at] == '#') {
      const int number = line->number;
      ++next_;
      node.items.push_back(nested(indent, false, number, depth));
    } else {  // what stands behind the dash is a block of its own, indented so far
      line->indent += at;
      line->content.erase(0, at);
      node.items.push_back(block(line->indent, depth + 1));
    }
  }
  return node;
}

// A value that begins on the current line; it may go on below, deeper than its parent.
YamlNode BlockReader::inline_value(size_t parent_indent, std::string text) {
  const int line = current()->number;
  ++next_;
  if (text[0] == '|' || text[0] == '>') return block_scalar(parent_indent, text, line);
  const bool is_flow = text[0] == '{' || text[0] == '[';
  if (!is_flow && text[0] != '"' && text[0] != '\'') {
    return plain_scalar(source_, join_plain(parent_indent, without_comment(text)), line);
  }
  join_closed(parent_indent, &text);
  size_t at = 0;
  int last_line = line;
  YamlNode node = is_flow ? read_flow(source_, text, &at, &last_line)
                          : read_quoted(source_, text, &at, &last_line);
  const std::string rest = without_comment(text.substr(at));
  if (rest.find_first_not_of(' ') != std::string::npos) {
    source_.fail(last_line, "something stands behind the end of a value");
  }
  return node;
}

void BlockReader::join_closed(size_t parent_indent, std::string* text) {
  while (!is_closed(*text) && next_ < source_.lines.size()) {
    const YamlLine& line = source_.lines[next_];
    if (!line.content.empty() && line.indent <= parent_indent && parent_indent > 0) break;
    *text += '\n' + std::string(line.indent, ' ') + line.content;
    ++next_;
  }
}

std::string BlockReader::join_plain(size_t parent_indent, std::string text) {
  while (next_ < source_.lines.size()) {
    const YamlLine& line = source_.lines[next_];
    if (is_blank(line) || line.indent <= parent_indent) break;
    if (key_part(line)) {
      source_.fail(line.number, "a key inside a value. Fix: indent it as its neighbours are.");
    }
    text += ' ' + without_comment(line.content);
    ++next_;
  }
  return text;
}

YamlNode BlockReader::block_scalar(size_t parent_indent, const std::string& header, int line) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.line = line;
  node.is_quoted = true;
  const bool is_folded = header[0] == '>';
  size_t indent = 0;
  bool may_join = false;
  for (; next_ < source_.lines.size(); ++next_) {
    const YamlLine& below = source_.lines[next_];
    if (below.content.empty()) {
      if (!is_folded || !may_join) node.text += '\n';
      may_join = false;
      continue;
    }
    if (below.indent <= parent_indent) break;
    if (indent == 0) indent = below.indent;
    const size_t deeper = below.indent > indent ? below.indent - indent : 0;
    if (is_folded && may_join && deeper == 0) node.text.back() = ' ';
    node.text += std::string(deeper, ' ') + below.content + '\n';
    may_join = deeper == 0;
  }
  while (node.text.ends_with("\n\n")) node.text.pop_back();
  if (header.find('-') != std::string::npos && node.text.ends_with('\n')) node.text.pop_back();
  return node;
}

YamlNode BlockReader::read() {
  YamlLine* line = current();
  if (line != nullptr && (line->content == "---" || line->content.starts_with("--- #"))) {
    ++next_;
    line = current();
  }
  if (line == nullptr) return {};
  YamlNode node = block(line->indent, 0);
  if (const YamlLine* more = current(); more != nullptr && more->content != "...") {
    source_.fail(more->number, more->content == "---" ? "a second document"
                                                      : "expected the end, or less indentation");
  }
  return node;
}

}  // namespace

const YamlNode* YamlNode::find(const std::string& key) const {
  const auto found = std::ranges::find(keys, key);
  return found == keys.end() ? nullptr : &items[found - keys.begin()];
}

YamlNode parse_yaml(const std::string& text, const std::string& path) {
  return BlockReader(split_yaml(text, path)).read();
}

}  // namespace sequela
