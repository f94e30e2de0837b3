#include "sequela/meds/ingest_plan.h"

#include <algorithm>
#include <map>

#include "sequela/core/error.h"

namespace sequela {
namespace {

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
    const bool is_wanted =
        is_all || std::find(wanted.begin(), wanted.end(), candidate.name) != wanted.end();
    if (is_wanted) found[candidate.name] |= candidate.is_text;
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
