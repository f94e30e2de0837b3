#include "sequela/core/yaml.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"

namespace sequela {
namespace {

// A node in one line: {a: 'x', b: [null, 'y']}.
std::string shape(const YamlNode& node) {
  if (node.is_null()) return "null";
  if (node.is_scalar()) return "'" + node.text + "'";
  std::string text = node.is_map() ? "{" : "[";
  for (size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) text += ", ";
    if (node.is_map()) text += node.keys[i] + ": ";
    text += shape(node.items[i]);
  }
  return text + (node.is_map() ? "}" : "]");
}

std::string read(const std::string& text) {
  return shape(parse_yaml(text, "f.yaml"));
}

std::string error_of(const std::string& text) {
  try {
    parse_yaml(text, "f.yaml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Yaml, ReadsBlocks) {
  EXPECT_EQ(read(""), "null");
  EXPECT_EQ(read("# nothing\n"), "null");
  EXPECT_EQ(read("a: 1\nb:\n  c: x y\n  d:\n\ne: ~\n"),
            "{a: '1', b: {c: 'x y', d: null}, e: null}");
  EXPECT_EQ(read("---\na:\n- x\n-   y: 1\n    z: 2\n- - p\n  - q\nb: 3\n"),
            "{a: ['x', {y: '1', z: '2'}, ['p', 'q']], b: '3'}");
  EXPECT_EQ(read("a: b:c # comment\nd: e#f\n'g: h': \"i # j\"\n"),
            "{a: 'b:c', d: 'e#f', g: h: 'i # j'}");
  EXPECT_EQ(read("start: NULL\nnull_text: 'NULL'\nnone: None\n"),
            "{start: null, null_text: 'NULL', none: 'None'}");
  EXPECT_EQ(read("has:\n  _ANY_EVENT: (5, None)\r\n  x: (,1)  # few\r\n"),
            "{has: {_ANY_EVENT: '(5, None)', x: '(,1)'}}");
  EXPECT_EQ(read("a: one\n  two\n\nb: 1\n"), "{a: 'one two', b: '1'}");
  EXPECT_EQ(read("end: start -> death\nlab: O2 saturation (%)\n"),
            "{end: 'start -> death', lab: 'O2 saturation (%)'}");
}

TEST(Yaml, ReadsFlowValuesOverLines) {
  EXPECT_EQ(read("{a: [1, 'x, y', \"z\"], b: {}, c: []}"), "{a: ['1', 'x, y', 'z'], b: {}, c: []}");
  EXPECT_EQ(read("code: {regex: \"^LAB//.*$\"}\n"), "{code: {regex: '^LAB//.*$'}}");
  EXPECT_EQ(read("any: [A//B,  # one\n  'it''s',\n  C/D]\nb: 1"),
            "{any: ['A//B', 'it's', 'C/D'], b: '1'}");
  EXPECT_EQ(read("a: {b: c}  # why\n"), "{a: {b: 'c'}}");
}

TEST(Yaml, ReadsQuotesAndBlockScalars) {
  EXPECT_EQ(read("a: \"x\\ty\\u00e9\\\\d\"\n"), "{a: 'x\ty\xC3\xA9\\d'}");
  EXPECT_EQ(read("a: 'C:\\d+'\n"), "{a: 'C:\\d+'}");
  EXPECT_EQ(read("a: \"one\n  two\n\n  three\"\n"), "{a: 'one two\nthree'}");
  EXPECT_EQ(read("a: |\n  one\n    two\n\n  three\nb: 1\n"),
            "{a: 'one\n  two\n\nthree\n', b: '1'}");
  EXPECT_EQ(read("a: >-\n  one\n  two\n\n  # three\nb: 1\n"), "{a: 'one two\n# three', b: '1'}");
}

TEST(Yaml, KnowsLines) {
  const YamlNode root = parse_yaml("# head\n\na: 1\nb:\n  - x\n  - {c: 1,\n     d: 2}\n", "f.yaml");
  EXPECT_EQ(root.key_lines, (std::vector<int>{3, 4}));
  EXPECT_EQ(root.items[1].items[1].line, 6);
  EXPECT_EQ(root.items[1].items[1].key_lines, (std::vector<int>{6, 7}));
}

TEST(Yaml, SaysWhereAFaultIs) {
  for (const auto& [text, line, part] : std::vector<std::tuple<const char*, int, const char*>>{
           {"a: 1\na: 2\n", 2, "'a' stands twice"},
           {"a: 1\n\tb: 2\n", 2, "a tab"},
           {"a:\n  b: 1\n   c: 2\n", 3, "a key inside a value"},
           {"a:\n  - x\n   - y\n", 3, "deeper"},
           {"a: 1\nb\n", 2, "expected 'key: value'"},
           {"a: {b: 1\nc: 2\n", 2, "expected ','"},
           {"a: 'x\n", 1, "not closed"},
           {"a: *anchor\n", 1, "anchors"},
           {"a: \"\\d\"\n", 1, "single quotes"},
           {"a: {b: (1, None)}\n", 1, "quote a value with commas"},
           {"a: x\n  b: y\n", 2, "a key inside a value"},
           {"a: 1\n---\nb: 1\n", 2, "a second document"},
           {"a: [1] 2\n", 1, "behind the end"}}) {
    const std::string error = error_of(text);
    EXPECT_TRUE(error.starts_with("f.yaml: line " + std::to_string(line) + ": ")) << text << error;
    EXPECT_NE(error.find(part), std::string::npos) << text << error;
  }
  EXPECT_NE(error_of(std::string(1000, '[')).find("nesting"), std::string::npos);
}

}  // namespace
}  // namespace sequela
