#include <cctype>
#include <cstdint>

#include "sequela/core/error.h"
#include "sequela/core/utf8.h"
#include "sequela/core/yaml_lines.h"

namespace sequela {
namespace {

constexpr int kMaxDepth = 32;

// A position in a text that knows its line.
class FlowReader {
 public:
  FlowReader(const YamlSource& source, const std::string& text, size_t at, int line)
      : source_(source), text_(text), at_(at), line_(line) {}

  YamlNode value(int depth);
  YamlNode quoted();
  size_t at() const { return at_; }
  int line() const { return line_; }

 private:
  bool is_end() const { return at_ >= text_.size(); }
  char peek() const { return is_end() ? '\0' : text_[at_]; }
  void skip_blanks();
  YamlNode collection(int depth);
  std::string plain();
  void escape(std::string* out);
  void fold(std::string* out);

  const YamlSource& source_;
  const std::string& text_;
  size_t at_;
  int line_;
};

void FlowReader::skip_blanks() {
  while (!is_end()) {
    const char c = peek();
    const bool begins_comment =
        c == '#' && (at_ == 0 || std::isspace(static_cast<unsigned char>(text_[at_ - 1])));
    if (begins_comment) {
      while (!is_end() && peek() != '\n') ++at_;
    } else if (c == '\n') {
      ++line_;
      ++at_;
    } else if (c == ' ' || c == '\t') {
      ++at_;
    } else {
      return;
    }
  }
}

std::string FlowReader::plain() {
  const size_t begin = at_;
  while (!is_end()) {
    const char c = peek();
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
    const bool ends_key =
        c == ':' && std::string_view(" \n,]}").find(next) != std::string_view::npos;
    const bool is_comment = c == '#' && at_ > begin && text_[at_ - 1] == ' ';
    if (c == ',' || c == ']' || c == '}' || c == '[' || c == '{' || c == '\n' || ends_key ||
        is_comment) {
      break;
    }
    ++at_;
  }
  const size_t last = text_.find_last_not_of(" \t", at_ - 1);
  return at_ == begin ? "" : text_.substr(begin, last + 1 - begin);
}

YamlNode FlowReader::value(int depth) {
  if (depth > kMaxDepth) source_.fail(line_, "too many levels of nesting");
  skip_blanks();
  const char c = peek();
  if (c == '{' || c == '[') return collection(depth);
  if (c == '"' || c == '\'') return quoted();
  const int line = line_;
  return plain_scalar(source_, plain(), line);
}

YamlNode FlowReader::collection(int depth) {
  const bool is_map = peek() == '{';
  const char close = is_map ? '}' : ']';
  YamlNode node;
  node.kind = is_map ? YamlNode::Kind::map : YamlNode::Kind::list;
  node.line = line_;
  ++at_;
  while (true) {
    skip_blanks();
    if (peek() == close) break;
    const int line = line_;
    YamlNode item = value(depth + 1);
    skip_blanks();
    if (is_map) {
      if (!item.is_scalar() || peek() != ':') {
        source_.fail(line,
                     "an entry of { } that is no 'key: value'. Fix: quote a value with commas.");
      }
      ++at_;
      add_entry(source_, item.text, line, value(depth + 1), &node);
      skip_blanks();
    } else {
      node.items.push_back(std::move(item));
    }
    if (peek() == ',') {
      ++at_;
    } else if (peek() != close) {
      source_.fail(line_, str("expected ',' or '", close, "'"));
    }
  }
  ++at_;
  return node;
}

YamlNode FlowReader::quoted() {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.line = line_;
  node.is_quoted = true;
  const char quote = text_[at_++];
  while (true) {
    if (is_end()) source_.fail(node.line, "a quote that is not closed");
    const char c = text_[at_++];
    if (c == quote) {
      if (quote == '"' || peek() != '\'') return node;
      node.text += text_[at_++];  // '' is one quote
    } else if (c == '\\' && quote == '"') {
      escape(&node.text);
    } else if (c == '\n') {
      fold(&node.text);
    } else {
      node.text += c;
    }
  }
}

// Behind a line break in quotes: one break is a space, n breaks are n - 1.
void FlowReader::fold(std::string* out) {
  ++line_;
  while (!out->empty() && (out->back() == ' ' || out->back() == '\t')) out->pop_back();
  int num_more = 0;
  while (!is_end() && (peek() == ' ' || peek() == '\t' || peek() == '\n')) {
    if (peek() == '\n') {
      ++num_more;
      ++line_;
    }
    ++at_;
  }
  *out += num_more == 0 ? std::string(" ") : std::string(num_more, '\n');
}

void FlowReader::escape(std::string* out) {
  constexpr std::string_view kNames = "0abtnvfre\"/\\ ";
  constexpr std::string_view kValues("\0\a\b\t\n\v\f\r\x1b\"/\\ ", 13);
  const char c = is_end() ? '\0' : text_[at_++];
  if (const size_t i = kNames.find(c); c != '\0' && i != std::string_view::npos) {
    *out += kValues[i];
    return;
  }
  if (c == '\n') {
    ++line_;
    while (peek() == ' ' || peek() == '\t') ++at_;
    return;
  }
  const int num_digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  uint32_t code = 0;
  for (int i = 0; i < num_digits; ++i) {
    const char digit = is_end() ? '\0' : text_[at_++];
    if (!std::isxdigit(static_cast<unsigned char>(digit))) source_.fail(line_, "a bad escape");
    const int value =
        std::isdigit(static_cast<unsigned char>(digit)) ? digit - '0' : (digit | 0x20) - 'a' + 10;
    code = code * 16 + value;
  }
  const bool is_character = num_digits > 0 && code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
  if (!is_character) {
    source_.fail(line_,
                 "an escape that YAML does not know. Fix: write it in single quotes, where a "
                 "backslash is itself.");
  }
  append_utf8(code, out);
}

}  // namespace

YamlNode read_quoted(const YamlSource& source, const std::string& text, size_t* at, int* line) {
  FlowReader reader(source, text, *at, *line);
  YamlNode node = reader.quoted();
  *at = reader.at();
  *line = reader.line();
  return node;
}

YamlNode read_flow(const YamlSource& source, const std::string& text, size_t* at, int* line) {
  FlowReader reader(source, text, *at, *line);
  YamlNode node = reader.value(0);
  *at = reader.at();
  *line = reader.line();
  return node;
}

bool is_closed(std::string_view text) {
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '#' && i > 0 && std::isspace(static_cast<unsigned char>(text[i - 1]))) {
      while (i + 1 < text.size() && text[i + 1] != '\n') ++i;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if ((c == '"' || c == '\'') &&
               (i == 0 || std::string_view(" \t\n{[,:").find(text[i - 1]) != text.npos)) {
      quote = c;
    }
  }
  return depth <= 0 && quote == 0;
}

}  // namespace sequela
