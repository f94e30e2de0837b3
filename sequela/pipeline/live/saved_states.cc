#include "sequela/pipeline/live/saved_states.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/live/event_line.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgress = "/follow.json";

std::string make_temporary_folder() {
  std::string path = (fs::temp_directory_path() / "sequela-follow-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw FileError(path, "cannot make a folder for states");
  return path;
}

}  // namespace

SavedStates::SavedStates(const std::string& folder) : folder_(folder) {
  if (folder.empty()) {
    spill_folder_ = make_temporary_folder();
    return;
  }
  lock_ = std::make_unique<FolderLock>(folder);
  spill_folder_ = folder + "/spill";
  fs::remove_all(spill_folder_);  // of a run that was killed
  read();
}

SavedStates::~SavedStates() {
  std::error_code ignored;
  fs::remove_all(spill_folder_, ignored);
}

void SavedStates::read() {
  const std::string path = folder_ + kProgress;
  if (!fs::exists(path)) return;
  const Json progress = parse_json(read_file(path), path);
  try {
    for (const auto& [name, rows] : progress.at("shards").items())
      rows_read_[name] = rows.get<int64_t>();
    TimeNotes notes;
    for (const Json& event : progress.at("waiting"))
      waiting_.push_back(to_event(event, ZoneRule::utc, &notes));
  } catch (const std::exception&) {
    throw FileError(path, "damaged", "remove it, and the states beside it, to begin anew");
  }
}

std::string SavedStates::state_path(int64_t subject_id) const {
  return str(folder_, "/", subject_id, ".state");
}

bool SavedStates::load(int64_t subject_id, Embedder& embedder) const {
  if (folder_.empty() || !fs::exists(state_path(subject_id))) return false;
  if (embedder.load(state_path(subject_id)) == subject_id) return true;
  throw FileError(state_path(subject_id), "the state of another patient",
                  "leave the names of the states alone");
}

void SavedStates::save(Embedder& embedder, const std::map<std::string, int64_t>& rows_read,
                       const std::vector<OwnedEvent>& waiting) const {
  if (folder_.empty()) return;
  for (const int64_t subject_id : embedder.patients().subject_ids()) {
    embedder.save(subject_id, state_path(subject_id));
    embedder.discharge(subject_id);  // makes room for those that have to be read back
  }
  Json progress = {{"shards", Json::object()}, {"waiting", Json::array()}};
  for (const auto& [name, rows] : rows_read) progress["shards"][name] = rows;
  for (const OwnedEvent& event : waiting) progress["waiting"].push_back(to_json(event));
  write_file(folder_ + kProgress, json_text(progress));
}

}  // namespace sequela
