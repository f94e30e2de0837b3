#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sequela {

// JSON that keeps the order of keys. Include <nlohmann/json.hpp> in the .cc that uses it.
using Json = nlohmann::ordered_json;

// Parses JSON text; `path` names it in errors. Python's bare words NaN, Infinity and -Infinity are
// read (json_number gives their value). Nesting is bounded (64). If a key repeats, its last value
// counts and stands where the first stood. Throws FileError.
Json parse_json(const std::string& text, const std::string& path);

// The text of a JSON value, as Python's json module reads it (non-finite numbers as bare words when
// they were put in by json_double).
std::string json_text(const Json& json, int indent = 2);

// A number, finite or not, as a JSON value and back. json_number throws FileError if it is none.
Json json_double(double value);
double json_number(const Json& json, const std::string& path);

}  // namespace sequela
