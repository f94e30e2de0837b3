#pragma once

#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"

namespace sequela {

// Checks JSON against a schema, as far as docs/manifest.schema.json needs it: type, const, pattern,
// required, properties, additionalProperties, items, anyOf, $ref. A word that it does not know is a
// fault, so that none is passed over.
class JsonSchema {
 public:
  explicit JsonSchema(const std::string& path) : root_(parse_json(read_file(path), path)) {}

  // The first fault, after its place; empty if there is none.
  std::string fault(const Json& json) const { return fault(json, root_, ""); }

 private:
  std::string fault(const Json& json, const Json& schema, const std::string& place) const {
    if (schema.is_boolean()) return schema.get<bool>() ? "" : place + ": not allowed";
    for (const auto& [word, value] : schema.items()) {
      const std::string found = fault_of_word(json, schema, word, value, place);
      if (!found.empty()) return found;
    }
    return "";
  }

  std::string fault_of_word(const Json& json, const Json& schema, const std::string& word,
                            const Json& value, const std::string& place) const {
    if (word == "$schema" || word == "$defs" || word == "title" || word == "description") return "";
    if (word == "$ref") {
      const auto pointer = value.get<std::string>().substr(1);
      return fault(json, root_.at(Json::json_pointer(pointer)), place);
    }
    if (word == "type") return is_of_type(json, value) ? "" : str(place, ": not of type ", value);
    if (word == "const") return json == value ? "" : str(place, ": not ", value);
    if (word == "pattern") {
      const bool fits =
          !json.is_string() ||
          std::regex_search(json.get<std::string>(), std::regex(value.get<std::string>()));
      return fits ? "" : str(place, ": does not fit ", value);
    }
    if (word == "anyOf") {
      for (const Json& choice : value) {
        if (fault(json, choice, place).empty()) return "";
      }
      return place + ": fits no choice";
    }
    if (word == "required") {
      for (const Json& name : value) {
        if (!json.contains(name.get<std::string>())) return str(place, ": lacks ", name);
      }
      return "";
    }
    if (word == "items") return fault_of_items(json, value, place);
    if (word == "properties" || word == "additionalProperties")
      return fault_of_members(json, schema, word, place);
    return str("the schema has a word that is unknown here: ", word);
  }

  std::string fault_of_items(const Json& json, const Json& schema, const std::string& place) const {
    for (size_t i = 0; i < json.size(); ++i) {
      const std::string found = fault(json[i], schema, str(place, "/", i));
      if (!found.empty()) return found;
    }
    return "";
  }

  std::string fault_of_members(const Json& json, const Json& schema, const std::string& word,
                               const std::string& place) const {
    if (!json.is_object()) return "";
    const Json known = schema.value("properties", Json::object());
    for (const auto& [name, member] : json.items()) {
      const bool is_known = known.contains(name);
      if (is_known != (word == "properties")) continue;
      const Json& wanted = is_known ? known.at(name) : schema.at(word);
      const std::string found = fault(member, wanted, place + "/" + name);
      if (!found.empty()) return found;
    }
    return "";
  }

  static bool is_of_type(const Json& json, const Json& type) {
    return (type == "object" && json.is_object()) || (type == "string" && json.is_string()) ||
           (type == "array" && json.is_array());
  }

  const Json root_;
};

}  // namespace sequela
