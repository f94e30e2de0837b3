#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/yaml.h"

namespace sequela {

// A line of a YAML file: what stands behind its indentation.
struct YamlLine {
  int number = 0;
  size_t indent = 0;
  std::string content;  // without trailing blanks; empty for a blank line
};

// What the readers of block and flow parts share: the lines and the name for errors.
struct YamlSource {
  std::string path;
  std::vector<YamlLine> lines;

  [[noreturn]] void fail(int line, const std::string& problem) const;
};

// Cuts a text into lines. Fails on tabs in indentation.
YamlSource split_yaml(const std::string& text, const std::string& path);

// The content without a comment at its end; quotes are heeded.
std::string without_comment(std::string_view content);

// True for a line that holds nothing, or a comment alone.
bool is_blank(const YamlLine& line);

// The scalar that a plain text is: null for "", "~" and "null".
YamlNode plain_scalar(const YamlSource& source, const std::string& text, int line);

// Reads a quoted scalar at `at` of a text, whose line break counts as in YAML: one is a space, more
// are breaks. Moves `at` behind the closing quote and `line` on by the breaks.
YamlNode read_quoted(const YamlSource& source, const std::string& text, size_t* at, int* line);

// Reads a flow value ("{a: [1, 2]}") that starts at `at` of a text of one or more lines.
YamlNode read_flow(const YamlSource& source, const std::string& text, size_t* at, int* line);

// True if every bracket and quote that a text opens is closed in it.
bool is_closed(std::string_view text);

// Appends a key, which must be new, with its value.
void add_entry(const YamlSource& source, const std::string& key, int key_line, YamlNode value,
               YamlNode* map);

}  // namespace sequela
