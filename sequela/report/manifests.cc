#include "sequela/report/manifests.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

// Rows of name and value; of nested objects the names are joined by "/".
void add_rows(const Json& object, const std::string& prefix, PageTable& table) {
  if (!object.is_object()) return;
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix.empty() || key.empty() ? prefix + key : prefix + "/" + key;
    if (value.is_object()) {
      add_rows(value, name, table);
    } else {
      table.rows.push_back({name, to_cell(value)});
    }
  }
}

void add_folded(const std::string& caption, const std::string& column, const Json& object,
                std::vector<Block>& blocks) {
  PageTable table{{column, "Value"}, {}};
  add_rows(object, "", table);
  if (!table.rows.empty()) blocks.emplace_back(ShownTable{caption, std::move(table), true});
}

Section artifact_section(const std::string& title, const Json& artifact) {
  const Json& recipe = field(artifact, "recipe");
  Section section{
      title,
      {Paragraph{str("Made by `sequela ", typed_command(recipe), "`, version ",
                     text_field(recipe, "version"),
                     ". The same version, parameters and inputs give the same bytes.")}},
      {}};
  add_folded("Parameters", "Option", field(recipe, "parameters"), section.blocks);
  add_folded("Inputs, by SHA-256", "Input", field(recipe, "inputs"), section.blocks);
  add_folded("Outputs, by SHA-256", "File", field(artifact, "files"), section.blocks);
  add_folded("What it reported", "What", field(artifact, "report"), section.blocks);
  return section;
}

}  // namespace

std::string typed_command(const Json& recipe) {
  const std::string command = text_field(recipe, "command");
  const std::string prefix = "pretrain ";
  if (!command.starts_with(prefix)) return command;
  return prefix + "--objective " + command.substr(prefix.size());
}

void add_manifests(const std::vector<NamedManifest>& manifests, Page& page) {
  Section section{"Manifest", {}, {}};
  for (const NamedManifest& one : manifests) {
    const Json& artifacts = field(*one.manifest, "artifacts");
    if (!artifacts.is_object()) continue;
    for (const auto& [name, artifact] : artifacts.items()) {
      const std::string title = name == one.name ? name : str(one.name, ": ", name);
      section.sections.push_back(artifact_section(title, artifact));
    }
  }
  if (!section.sections.empty()) page.sections.push_back(std::move(section));
}

}  // namespace sequela
