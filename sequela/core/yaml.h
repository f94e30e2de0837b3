#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sequela {

// A value of a YAML file and the line it stands on.
struct YamlNode {
  enum class Kind { null, scalar, map, list };

  Kind kind = Kind::null;
  int line = 0;                   // counted from 1
  std::string text;               // of a scalar
  bool is_quoted = false;         // a scalar that is a text whatever it looks like
  std::vector<std::string> keys;  // of a map, in order and distinct
  std::vector<int> key_lines;
  std::vector<YamlNode> items;  // of a list, or a map's values parallel to its keys

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  // The value of a key; nullptr if the map has none, or this is no map.
  const YamlNode* find(const std::string& key) const;
};

// Reads YAML 1.2 as task files use it: block and flow maps and lists, plain and quoted scalars, the
// block scalars | and >, comments. Anchors, aliases, tags, complex keys and a second document are
// refused. Nesting is bounded (32). `path` names the text in errors: ConfigError "path: line 7:
// ...".
YamlNode parse_yaml(const std::string& text, const std::string& path);

}  // namespace sequela
