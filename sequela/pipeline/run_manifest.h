#pragma once

#include <string>
#include <vector>

#include "sequela/core/json.h"

namespace sequela {

// manifest.json of a folder that a single run fills: the run's key (a digest of all that determines
// its output), a checksum of each file, and what the run reports.

// The digest of all that determines a run's output.
std::string run_key_of(const Json& parts);
// Of a data set, for such a key: its files with what changes when their content does.
Json dataset_key(const std::string& meds);

// Of a MOTOR bundle: the files that decide what it computes, "none" for one that is not there.
Json bundle_key(const std::string& folder);

// Of labels: their files, in order.
Json label_key(const std::string& labels);

// True, and said so in the log, if the folder was made by a run of that key and every file is
// there, unchanged. A damaged manifest counts as none.
bool is_made_by_run(const std::string& folder, const std::string& run_key);

// Removes the manifest of an earlier run of a folder and the files that it names: with other inputs
// they would look like a part of the new run.
void remove_files_of_run(const std::string& folder);

// Written last: it says that the files, named below the folder, are complete.
void write_run_manifest(const std::string& folder, const std::string& run_key,
                        const std::vector<std::string>& files, const Json& report);

}  // namespace sequela
