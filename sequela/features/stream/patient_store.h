#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sequela/features/stream/patient_state.h"

namespace sequela {

struct PatientStoreOptions {
  int64_t memory_bytes = int64_t{4} << 30;  // most that the states in memory take together
  // Where states go that have not been used for longest when memory is full, one file each; empty =
  // nowhere: a full memory is then a ResourceError. The folder is made if need be.
  std::string spill_folder;
  int64_t max_patients = 1'000'000;  // live ones; each costs about 200 bytes even when spilled
};

// The states of all live patients, in bounded memory: those used last stay, the others lie on disk.
class PatientStore {
 public:
  // Refers to `format`. ConfigError if a single state might not fit into the memory.
  PatientStore(const PatientStateFormat& format, PatientStoreOptions options);
  ~PatientStore();  // removes the files of spilled states; what is to outlive it must be saved
  PatientStore(const PatientStore&) = delete;
  PatientStore& operator=(const PatientStore&) = delete;

  int64_t num_patients() const { return static_cast<int64_t>(entries_.size()); }
  int64_t num_in_memory() const { return static_cast<int64_t>(recent_.size()); }
  int64_t memory_bytes() const { return used_; }
  // Spills what the new limit does not hold. Errors as those of the constructor and make_room().
  void set_memory_bytes(int64_t bytes);
  // How many patients can be in memory at once, whatever their records.
  int64_t max_pinned() const;

  bool holds(int64_t subject_id) const { return entries_.contains(subject_id); }
  std::vector<int64_t> subject_ids() const;  // of all live patients, ascending
  // ResourceError if there is no room; std::invalid_argument if it is there already.
  void insert(PatientState state);
  void erase(int64_t subject_id);

  // Time of the last event that the patient's state knows of, kNoTime = none; without reading it
  // back. std::invalid_argument for an unknown patient, here and below.
  int64_t last_event_us(int64_t subject_id) const { return entry(subject_id).last_event_us; }

  // Between begin_use() and the next one, what get() returns stays in memory.
  void begin_use() { ++use_; }
  // Reads the state back if it was spilled: FileError if its file is gone or damaged.
  PatientState& get(int64_t subject_id);
  // Spills states that are not in use until this much is free; ResourceError if that cannot be.
  void make_room(int64_t bytes);
  // Takes note of a state's new size and last event. Room for it was made before.
  void update(int64_t subject_id);

 private:
  struct Entry {
    std::unique_ptr<PatientState> state;  // null = spilled
    std::list<int64_t>::iterator recent;
    int64_t bytes = 0;
    int64_t last_event_us = kNoTime;
    int64_t use = -1;
  };
  void check_memory(int64_t bytes) const;
  Entry& entry(int64_t subject_id);
  const Entry& entry(int64_t subject_id) const;
  std::string spill_path(int64_t subject_id) const;
  void spill(int64_t subject_id);

  const PatientStateFormat& format_;
  PatientStoreOptions options_;
  std::unordered_map<int64_t, Entry> entries_;
  std::list<int64_t> recent_;  // subject ids of those in memory, the longest unused first
  int64_t used_ = 0, use_ = 0;
};

}  // namespace sequela
