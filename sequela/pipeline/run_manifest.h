#pragma once

#include <string>
#include <vector>

#include "sequela/core/json.h"

namespace sequela {

// manifest.json of a folder that a single run fills: the run's key (a digest of all that determines
// its output), a checksum of each file, and what the run reports.

// True if the folder was made by a run of that key and every file is there, unchanged. A damaged
// manifest counts as none.
bool is_made_by_run(const std::string& folder, const std::string& run_key);

// Written last: it says that the files, named below the folder, are complete.
void write_run_manifest(const std::string& folder, const std::string& run_key,
                        const std::vector<std::string>& files, const Json& report);

}  // namespace sequela
