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
constexpr const char* kRights = "see to the rights of the folder of states";
constexpr const char* kState = ".state";
constexpr const char* kSaving = "saving-";

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
  settle();
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
    last_save_ = progress.value("save", int64_t{0});
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
  return str(folder_, "/", subject_id, kState);
}

std::string SavedStates::saving_folder(int64_t save) const {
  return str(folder_, "/", kSaving, save);
}

// Moves the states of the last save to their places; those of a save that was not finished go.
void SavedStates::settle() const {
  const std::string last = saving_folder(last_save_);
  try {
    if (fs::exists(last)) {
      for (const auto& state : fs::directory_iterator(last))
        fs::rename(state.path(), fs::path(folder_) / state.path().filename());
    }
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path().filename().string().starts_with(kSaving)) fs::remove_all(entry.path());
  } catch (const fs::filesystem_error& error) {
    throw FileError(error.path1().string(), error.code().message(), kRights);
  }
}

bool SavedStates::load(int64_t subject_id, Embedder& embedder) const {
  if (folder_.empty() || !fs::exists(state_path(subject_id))) return false;
  if (embedder.load(state_path(subject_id)) == subject_id) return true;
  throw FileError(state_path(subject_id), "the state of another patient",
                  "leave the names of the states alone");
}

void SavedStates::save(Embedder& embedder, const std::map<std::string, int64_t>& rows_read,
                       const std::vector<OwnedEvent>& waiting) {
  if (folder_.empty() || has_failed_) return;
  has_failed_ = true;  // until all is done
  const int64_t save = last_save_ + 1;
  const std::string saving = saving_folder(save);
  std::error_code error;
  fs::create_directory(saving, error);
  if (error) throw FileError(saving, error.message(), kRights);
  for (const int64_t subject_id : embedder.patients().subject_ids()) {
    embedder.save(subject_id, str(saving, "/", subject_id, kState));
    embedder.discharge(subject_id);  // makes room for those that have to be read back
  }
  Json progress = {{"save", save}, {"shards", Json::object()}, {"waiting", Json::array()}};
  for (const auto& [name, rows] : rows_read) progress["shards"][name] = rows;
  for (const OwnedEvent& event : waiting) progress["waiting"].push_back(to_json(event));
  write_file(folder_ + kProgress, json_text(progress));
  last_save_ = save;
  settle();
  has_failed_ = false;
}

}  // namespace sequela
