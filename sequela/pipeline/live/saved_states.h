#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sequela/features/stream_embedder.h"
#include "sequela/pipeline/folder_lock.h"
#include "sequela/pipeline/live/event_source.h"

namespace sequela {

// The folder in which one run of `follow` leaves what the next one goes on from:
//
//   <subject id>.state  a patient's state (features/stream/patient_state.h)
//   follow.json         {"shards": {name: rows read, -1 = all}, "waiting": [events of patients
//                       whose birth is not known yet, as event_line.h writes them]}
//   spill/              states that memory does not hold, while a run is at work
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

  // Writes the states of all patients, who are discharged, and the rest. Each file is replaced as a
  // whole; follow.json comes last.
  void save(Embedder& embedder, const std::map<std::string, int64_t>& rows_read,
            const std::vector<OwnedEvent>& waiting) const;

 private:
  std::string state_path(int64_t subject_id) const;
  void read();

  const std::string folder_;
  std::unique_ptr<FolderLock> lock_;
  std::string spill_folder_;
  std::map<std::string, int64_t> rows_read_;
  std::vector<OwnedEvent> waiting_;
};

}  // namespace sequela
