#include "sequela/meds/ingest_plan.h"

#include <algorithm>
#include <map>

#include "sequela/core/error.h"

namespace sequela {
namespace {

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_default(const std::string& name) {
  return name == "numeric_value" || name == "text_value";
}

}  // namespace

std::vector<PropertyColumn> choose_properties(const std::vector<PropertyCandidate>& candidates,
                                              const IngestOptions& options) {
  const auto& wanted = options.properties;
  const bool is_all = wanted.size() == 1 && wanted[0] == "all";
  std::map<std::string, bool> found;
  for (const PropertyCandidate& candidate : candidates) {
    const bool is_text = is_one_of(options.text_properties, candidate.name);
    if (is_all || is_text || is_one_of(wanted, candidate.name))
      found[candidate.name] |= is_text || candidate.is_text;
  }
  for (const std::string& name : wanted) {
    if (is_all || is_default(name) || found.count(name) > 0) continue;
    throw DataError({.path = options.meds, .column = name}, "no shard has this column",
                    "leave it out of --properties");
  }
  std::vector<PropertyColumn> properties;
  for (const auto& [name, is_text] : found) properties.push_back({name, is_text});
  std::stable_partition(properties.begin(), properties.end(),
                        [](const auto& property) { return is_default(property.name); });
  return properties;
}

}  // namespace sequela
