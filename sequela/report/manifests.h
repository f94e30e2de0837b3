#pragma once

#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// A run's manifest.json, and the name that the page has for the run.
struct NamedManifest {
  std::string name;
  const Json* manifest = nullptr;
};

// A recipe's command as one types it, "pretrain --objective mlm": of "pretrain mlm", the command of
// an encoder's objective, the second word is an option.
std::string typed_command(const Json& recipe);

// What repeats the runs bit for bit: of each artifact the command, version, parameters, and the
// fingerprints of what went in and came out. Without artifacts no section.
void add_manifests(const std::vector<NamedManifest>& manifests, Page& page);

}  // namespace sequela
