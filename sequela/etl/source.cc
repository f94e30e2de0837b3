#include "sequela/etl/source.h"

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"
#include "sequela/etl/fhir/fhir.h"
#include "sequela/etl/messy/messy.h"
#include "sequela/etl/omop/omop.h"
#include "sequela/etl/shipped_sources.h"
#include "sequela/io/file.h"

namespace sequela {

const std::vector<std::string>& source_names() {
  static const auto all = [] {
    std::vector<std::string> names = {"fhir", "omop"};
    for (const auto& [name, text] : shipped_sources()) names.push_back(name);
    return names;
  }();
  return all;
}

std::string source_forms() {
  std::string names;
  for (const std::string& name : source_names()) names += str(names.empty() ? "" : ", ", name);
  return names +
         "; postgresql://user@host/database/schema (OMOP there); or a MESSY file "
         "(event_configs.yaml)";
}

EtlPlan plan_source(DuckDb& db, const std::string& from, const std::string& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw DataError({.path = folder}, "there is no such folder",
                    "name the folder that holds the raw tables");
  }
  if (from == "omop") return plan_omop(db, folder);
  if (from == "fhir") return plan_fhir(db, folder);
  const auto shipped = shipped_sources().find(from);
  if (shipped != shipped_sources().end()) {
    EtlPlan plan =
        plan_messy(db, parse_messy(shipped->second, from + ".yaml"), folder, ColumnTyping::text);
    plan.source = from;
    return plan;
  }
  if (std::filesystem::is_regular_file(from)) {
    return plan_messy(db, parse_messy(read_file(from), from), folder, ColumnTyping::inferred);
  }
  const std::string suggestion = did_you_mean(from, source_names());
  throw ConfigError(str("from: '", from, "' is neither a source that Sequela knows nor a file",
                        suggestion, suggestion.empty() ? ". Fix: see `sequela etl --help`." : ""));
}

}  // namespace sequela
