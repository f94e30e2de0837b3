#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "sequela/core/json.h"

namespace sequela {

// Fingerprints of an input's files by their names below it; of an input that is a single file, one
// without a name.
using InputFingerprints = std::map<std::string, std::string>;

// What an artifact is made of: two equal recipes give the same bytes. A recipe holds no path of an
// input and no secret, so that data that lie elsewhere now are the same data.
struct RunRecipe {
  std::string command;   // "features"
  std::string artifact;  // its name in the manifest: the command's, or below the folder "split.csv"
  std::map<std::string, std::string> parameters;    // option -> value, as one writes it
  std::map<std::string, InputFingerprints> inputs;  // "labels", "meds" -> content
  std::vector<std::string> outputs;  // files and folders below the folder; known when it is made
  bool depends_on_version = true;    // false: what another version of Sequela made is as good

  // An option's value as text: numbers with all digits that they need, true or false, words as they
  // are, a list of words as JSON.
  void set(const std::string& option, const std::string& value) { parameters[option] = value; }
  void set(const std::string& option, const char* value) { parameters[option] = value; }
  void set(const std::string& option, double value);
  void set(const std::string& option, const std::vector<std::string>& words);
  template <std::integral T>
  void set(const std::string& option, T value) {
    if constexpr (std::is_same_v<T, bool>) {
      parameters[option] = value ? "true" : "false";
    } else {
      parameters[option] = std::to_string(value);
    }
  }
  // Each value of an object under its own name, of nested ones as "name.key".
  void set_all(const Json& object, const std::string& prefix = "");

  // Hex SHA-256 over all that determines the bytes: not the outputs.
  std::string digest() const;
};

// As the manifest keeps it; `version` is Sequela's that made the artifact.
Json to_json(const RunRecipe& recipe, const std::string& version);
// The artifact's name is not in it. Throws nlohmann::json::exception.
RunRecipe to_run_recipe(const Json& json);

// The first difference of what was from what is wanted, as the end of a sentence that begins with
// "since": "tokens-per-batch changed from 8192 to 4096", "the ontology changed",
// "data/train/7.parquet changed". Empty if there is none. Versions and outputs are not compared.
std::string difference(const RunRecipe& recorded, const RunRecipe& wanted);

}  // namespace sequela
