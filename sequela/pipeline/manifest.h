#pragma once

#include <map>
#include <memory>
#include <string>

#include "sequela/core/json.h"

namespace sequela {

// What an artifact is made of; two equal recipes give the same bytes.
struct StageRecipe {
  std::string name;                               // path below the folder, "motor_task.json"
  std::map<std::string, std::string> parameters;  // option -> value
  std::map<std::string, std::string> inputs;      // input -> fingerprint or checksum
};

// manifest.json: for each finished artifact of a folder its recipe, Sequela's version, a checksum
// of its content and a report of its making (counts, never times of day). The file is rewritten
// atomically after each artifact, and its bytes depend on the artifacts alone.
class Manifest {
 public:
  // Of a folder; a missing manifest is an empty one, so is a damaged one (with a warning).
  explicit Manifest(const std::string& folder);
  ~Manifest();

  // Why the artifact must be made: "it is not there", "vocab-size changed from 512 to 1024", ...
  // Empty if it is there, unchanged, and made by the same recipe and version. Reads the whole
  // artifact.
  std::string why_stale(const StageRecipe& recipe) const;

  // Notes a finished artifact, with the checksum of what lies there now. Writes the manifest.
  void record(const StageRecipe& recipe, const Json& report);

  // Notes a report of something that is no artifact of its own. Writes the manifest.
  void record_report(const StageRecipe& recipe, const Json& report);

  // Of a recorded artifact; both empty if there is none of that name.
  std::string checksum(const std::string& name) const;
  Json report(const std::string& name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// SHA-256 over a file, or over the names and contents of all files of a folder. Empty text if there
// is neither.
std::string content_checksum(const std::string& path);

}  // namespace sequela
