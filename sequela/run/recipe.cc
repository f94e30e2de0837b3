#include "sequela/run/recipe.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/sha256.h"

namespace sequela {
namespace {

constexpr size_t kShownBytes = 40;

std::string shown(const std::string& text) {
  return text.size() <= kShownBytes ? text : text.substr(0, 12) + "...";
}

std::string of_parameters(const std::map<std::string, std::string>& recorded,
                          const std::map<std::string, std::string>& wanted) {
  for (const auto& [name, value] : wanted) {
    const auto found = recorded.find(name);
    if (found == recorded.end()) return name + " is new";
    if (found->second != value)
      return str(name, " changed from ", shown(found->second), " to ", shown(value));
  }
  for (const auto& [name, value] : recorded) {
    if (!wanted.contains(name)) return name + " is gone";
  }
  return "";
}

// Of one input: which file, and how many others.
std::string of_files(const std::string& input, const InputFingerprints& recorded,
                     const InputFingerprints& wanted) {
  std::string first;
  size_t others = 0;
  const auto note = [&](const std::string& name, const char* what) {
    if (first.empty()) {
      first = str(name.empty() ? "the " + input : name, what);
    } else {
      ++others;
    }
  };
  for (const auto& [name, fingerprint] : wanted) {
    const auto found = recorded.find(name);
    if (found == recorded.end()) {
      note(name, " is new");
    } else if (found->second != fingerprint) {
      note(name, " changed");
    }
  }
  for (const auto& [name, fingerprint] : recorded) {
    if (!wanted.contains(name)) note(name, " is gone");
  }
  return others == 0 ? first
                     : str(first, ", and ", others, others == 1 ? " other file" : " other files",
                           " of the ", input);
}

std::string of_inputs(const std::map<std::string, InputFingerprints>& recorded,
                      const std::map<std::string, InputFingerprints>& wanted) {
  for (const auto& [name, files] : wanted) {
    const auto found = recorded.find(name);
    if (found == recorded.end()) return str("the ", name, " is new");
    if (found->second.contains("") != files.contains("")) return str("the ", name, " changed");
    std::string text = of_files(name, found->second, files);
    if (!text.empty()) return text;
  }
  for (const auto& [name, files] : recorded) {
    if (!wanted.contains(name)) return str("the ", name, " is gone");
  }
  return "";
}

Json inputs_json(const RunRecipe& recipe) {
  Json json = Json::object();
  for (const auto& [name, files] : recipe.inputs) {
    const auto single = files.find("");
    json[name] = single == files.end() ? Json(files) : Json(single->second);
  }
  return json;
}

}  // namespace

void RunRecipe::set(const std::string& option, double value) {
  parameters[option] = Json(value).dump();
}

void RunRecipe::set(const std::string& option, const std::vector<std::string>& words) {
  parameters[option] = Json(words).dump();
}

void RunRecipe::set_all(const Json& object, const std::string& prefix) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      set_all(value, prefix + key + ".");
    } else {
      parameters[prefix + key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
}

std::string RunRecipe::digest() const {
  Json json = to_json(*this, depends_on_version ? SEQUELA_VERSION : "");
  json.erase("outputs");
  const std::string text = json_text(json, -1);
  return to_hex(sha256(text.data(), text.size()));
}

Json to_json(const RunRecipe& recipe, const std::string& version) {
  return {{"command", recipe.command},
          {"version", version},
          {"parameters", recipe.parameters},
          {"inputs", inputs_json(recipe)},
          {"outputs", recipe.outputs}};
}

RunRecipe to_run_recipe(const Json& json) {
  RunRecipe recipe;
  json.at("command").get_to(recipe.command);
  json.at("parameters").get_to(recipe.parameters);
  json.at("outputs").get_to(recipe.outputs);
  for (const auto& [name, value] : json.at("inputs").items()) {
    if (value.is_string()) {
      recipe.inputs[name][""] = value.get<std::string>();
    } else {
      value.get_to(recipe.inputs[name]);
    }
  }
  return recipe;
}

std::string difference(const RunRecipe& recorded, const RunRecipe& wanted) {
  if (recorded.command != wanted.command) return str("`sequela ", recorded.command, "` made it");
  const std::string parameter = of_parameters(recorded.parameters, wanted.parameters);
  return parameter.empty() ? of_inputs(recorded.inputs, wanted.inputs) : parameter;
}

}  // namespace sequela
