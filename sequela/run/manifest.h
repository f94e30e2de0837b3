#pragma once

#include <memory>
#include <string>

#include "sequela/core/json.h"
#include "sequela/run/fingerprints.h"
#include "sequela/run/recipe.h"

namespace sequela {

// manifest.json of a folder: for each finished artifact its recipe, the SHA-256 of its files and a
// report of its making (counts, never times of day). docs/manifest.schema.json is its form, the
// same for all commands. It is rewritten atomically after each artifact, and its bytes depend on
// the artifacts alone.
//
// What an older version of Sequela left is never an error: nothing of it is up to date.
class Manifest {
 public:
  // Of a folder; a missing manifest is an empty one, so is a damaged one, which the log tells.
  // Refers to `fingerprints`.
  Manifest(const std::string& folder, Fingerprints& fingerprints);
  ~Manifest();

  // Reads it again: another process may have written it.
  void reload();

  // Why the artifact must be made: "it is not there", "vocab-size changed from 512 to 1024", ...
  // Empty if it is there, unchanged, and made by the same recipe and version. FileError if its
  // files cannot be read.
  std::string why_stale(const RunRecipe& recipe) const;

  // True if the artifact is up to date. The log says so, or why what lies there is made anew.
  bool is_up_to_date(const RunRecipe& recipe) const;

  // Takes away the manifest, and with it all that it says.
  void remove();
  // Also the files that it names: with other inputs they would look like a part of the new run.
  void remove_with_files();

  // Notes a finished artifact, with the fingerprints of what lies there now. Writes the manifest.
  // Without outputs it is only a report.
  void record(const RunRecipe& recipe, const Json& report);

  // An option's value in an artifact's recipe; empty if there is none.
  std::string parameter(const std::string& artifact, const std::string& option) const;
  // Of a recorded artifact that is one file; empty text if there is none.
  std::string fingerprint(const std::string& artifact) const;
  // Empty if there is none.
  Json report(const std::string& artifact) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sequela
