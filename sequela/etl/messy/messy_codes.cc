#include "sequela/etl/messy/messy_codes.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/etl/messy/frame.h"

namespace sequela {
namespace {

std::string component(size_t index) {
  return str("nullif(string_split(e.components, chr(31))[", index + 1, "], chr(30))");
}

std::string select_codes(const std::string& description, const std::string& parent,
                         const std::string& from, int32_t block) {
  return str("SELECT DISTINCT e.code, ", description.empty() ? "NULL::VARCHAR" : description, ", ",
             parent.empty() ? "NULL::VARCHAR" : parent, " FROM etl_codes AS e", from,
             " WHERE e.block = ", block);
}

void add_self(const MessyMetadata& metadata, size_t first, int32_t block, EtlPlan* plan) {
  std::string description, parent;
  for (size_t i = 0; i < metadata.outputs.size(); ++i) {
    if (metadata.outputs[i].name == "description") description = component(first + i);
    if (metadata.outputs[i].name == "parent_codes") parent = component(first + i);
  }
  plan->codes.push_back({"the events' own rows", {}, select_codes(description, parent, "", block)});
}

void add_table(DuckDb& db, const std::string& path, const std::string& folder,
               const MessyMetadata& metadata, const std::vector<std::string>& components,
               int32_t block, EtlPlan* plan) {
  const auto table = find_table(db, folder, metadata.table);
  if (!table) {
    if (std::ranges::find(plan->missing, metadata.table) == plan->missing.end())
      plan->missing.push_back(metadata.table);
    return;
  }
  std::vector<std::string> wanted;
  for (const MessyValue& output : metadata.outputs) {
    for (const std::string& name : columns_of(output.expression)) wanted.push_back(name);
  }
  const Frame frame(db, *table, "m", wanted, ColumnTyping::text);
  std::string description, parent, on;
  for (const MessyValue& output : metadata.outputs) {
    const std::string sql = as_text(frame.compile(output, path));
    const auto key = std::ranges::find(components, output.name);
    if (key != components.end()) {
      on += str(on.empty() ? "" : " AND ", component(key - components.begin()),
                " IS NOT DISTINCT FROM ", sql);
    } else if (output.name == "description") {
      description = sql;
    } else if (output.name == "parent_codes") {
      parent = sql;
    }
  }
  if (on.empty()) {
    throw ConfigError(str(path, ": line ", metadata.line, ": _metadata of ", metadata.table,
                          " has no key: name one of its columns like a column of the code"));
  }
  plan->codes.push_back(
      {metadata.table, table->files,
       select_codes(description, parent, " JOIN " + table->scan + " AS m ON " + on, block)});
}

}  // namespace

std::vector<std::string> component_names(const MessyEvent& event) {
  return columns_of(event.code.expression);
}

void add_messy_codes(DuckDb& db, const std::string& path, const std::string& folder,
                     const MessyEvent& event, int32_t block, EtlPlan* plan) {
  const std::vector<std::string> components = component_names(event);
  size_t next = components.size();
  for (const MessyMetadata& metadata : event.metadata) {
    if (metadata.table == kSelfMetadata) {
      add_self(metadata, next, block, plan);
      next += metadata.outputs.size();
    } else {
      add_table(db, path, folder, metadata, components, block, plan);
    }
  }
}

}  // namespace sequela
