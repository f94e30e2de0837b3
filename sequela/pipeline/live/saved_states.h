#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sequela/features/stream_embedder.h"
#include "sequela/pipeline/live/event_source.h"
#include "sequela/run/folder_lock.h"

namespace sequela {

// The folder in which one run of `follow` leaves what the next one goes on from:
//
//   <subject id>.state  a patient's state (features/stream/patient_state.h)
//   follow.json         {"save": n, "shards": {name: rows read, -1 = all}, "waiting": [events of
//                       patients whose birth is not known yet, as event_line.h writes them]}
//   saving-<n>/         states on their way to the folder; they count as soon as follow.json says n
//   spill/              states that memory does not hold, while a run is at work
//
// A run that is killed, also while it saves, leaves what the last whole save left: the next one
// finishes moving states that count and drops the others.
//
// Without a folder, the states that memory does not hold lie in a folder of the system's for
// temporary files, and nothing is left.
class SavedStates {
 public:
  // folder: empty = none. ConfigError if another run is at work there.
  explicit SavedStates(const std::string& folder);
  ~SavedStates();
  SavedStates(const SavedStates&) = delete;
  SavedStates& operator=(const SavedStates&) = delete;

  const std::string& spill_folder() const { return spill_folder_; }
  const std::map<std::string, int64_t>& rows_read() const { return rows_read_; }
  std::vector<OwnedEvent> take_waiting() { return std::move(waiting_); }

  // Takes up a patient's state if there is one.
  bool load(int64_t subject_id, Embedder& embedder) const;

  // Writes the states of all patients, who are discharged, and the rest: all of it or, if it fails,
  // nothing; after that it does nothing any more.
  void save(Embedder& embedder, const std::map<std::string, int64_t>& rows_read,
            const std::vector<OwnedEvent>& waiting);

 private:
  std::string state_path(int64_t subject_id) const;
  std::string saving_folder(int64_t save) const;
  void read();
  void settle() const;

  const std::string folder_;
  std::unique_ptr<FolderLock> lock_;
  std::string spill_folder_;
  int64_t last_save_ = 0;  // whose states count
  bool has_failed_ = false;
  std::map<std::string, int64_t> rows_read_;
  std::vector<OwnedEvent> waiting_;
};

}  // namespace sequela
