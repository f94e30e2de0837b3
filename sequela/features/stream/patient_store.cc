#include "sequela/features/stream/patient_store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/io/file.h"

namespace sequela {

PatientStore::PatientStore(const PatientStateFormat& format, PatientStoreOptions options)
    : format_(format), options_(std::move(options)) {
  check_memory(options_.memory_bytes);
  if (options_.max_patients < 1) {
    throw ConfigError("max_patients", str(options_.max_patients), "a number of at least 1");
  }
  if (options_.spill_folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(options_.spill_folder, error);
  if (error) throw FileError(options_.spill_folder, error.message());
}

PatientStore::~PatientStore() {
  std::error_code ignored;
  for (const auto& [subject_id, entry] : entries_) {
    if (!entry.state) std::filesystem::remove(spill_path(subject_id), ignored);
  }
}

void PatientStore::check_memory(int64_t bytes) const {
  if (bytes >= format_.max_memory_bytes()) return;
  throw ConfigError("memory_bytes", str(bytes),
                    str("at least ", format_.max_memory_bytes(), ", the most that one patient's ",
                        "state takes"));
}

void PatientStore::set_memory_bytes(int64_t bytes) {
  check_memory(bytes);
  options_.memory_bytes = bytes;
  begin_use();
  make_room(0);
}

std::vector<int64_t> PatientStore::subject_ids() const {
  std::vector<int64_t> ids;
  for (const auto& [subject_id, entry] : entries_) ids.push_back(subject_id);
  std::ranges::sort(ids);
  return ids;
}

int64_t PatientStore::max_pinned() const {
  return options_.memory_bytes / format_.max_memory_bytes();
}

PatientStore::Entry& PatientStore::entry(int64_t subject_id) {
  return const_cast<Entry&>(std::as_const(*this).entry(subject_id));
}

const PatientStore::Entry& PatientStore::entry(int64_t subject_id) const {
  const auto found = entries_.find(subject_id);
  if (found == entries_.end()) {
    throw std::invalid_argument(str("patient ", subject_id, " was not admitted"));
  }
  return found->second;
}

std::string PatientStore::spill_path(int64_t subject_id) const {
  return str(options_.spill_folder, "/", subject_id, ".state");
}

void PatientStore::insert(PatientState state) {
  const int64_t subject_id = state.sequence.subject_id;
  if (holds(subject_id)) {
    throw std::invalid_argument(str("patient ", subject_id, " is admitted already"));
  }
  if (num_patients() >= options_.max_patients) {
    throw ResourceError(str("no more than ", options_.max_patients,
                            " live patients. Fix: discharge some, or raise max_patients."));
  }
  const int64_t bytes = format_.memory_bytes(state);
  make_room(bytes);
  Entry& entry = entries_[subject_id];
  entry.last_event_us = state.sequence.last_event_us;
  entry.state = std::make_unique<PatientState>(std::move(state));
  entry.recent = recent_.insert(recent_.end(), subject_id);
  entry.bytes = bytes;
  used_ += bytes;
}

void PatientStore::erase(int64_t subject_id) {
  Entry& gone = entry(subject_id);
  if (gone.state) {
    used_ -= gone.bytes;
    recent_.erase(gone.recent);
  } else {
    std::error_code ignored;
    std::filesystem::remove(spill_path(subject_id), ignored);
  }
  entries_.erase(subject_id);
}

PatientState& PatientStore::get(int64_t subject_id) {
  Entry& wanted = entry(subject_id);
  wanted.use = use_;
  if (wanted.state) {
    recent_.splice(recent_.end(), recent_, wanted.recent);
    return *wanted.state;
  }
  make_room(wanted.bytes);
  const std::string path = spill_path(subject_id);
  PatientState state = format_.from_bytes(MappedFile(path).text(), path);
  if (state.sequence.subject_id != subject_id) {
    throw FileError(path, "the state of another patient", "leave the spill folder alone");
  }
  wanted.state = std::make_unique<PatientState>(std::move(state));
  wanted.recent = recent_.insert(recent_.end(), subject_id);
  used_ += wanted.bytes;
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return *wanted.state;
}

void PatientStore::update(int64_t subject_id) {
  Entry& grown = entry(subject_id);
  const int64_t bytes = format_.memory_bytes(*grown.state);
  used_ += bytes - grown.bytes;
  grown.bytes = bytes;
  grown.last_event_us = grown.state->sequence.last_event_us;
}

void PatientStore::make_room(int64_t bytes) {
  while (used_ + bytes > options_.memory_bytes) {
    const bool is_in_use = recent_.empty() || entry(recent_.front()).use == use_;
    if (is_in_use || options_.spill_folder.empty()) {
      throw ResourceError(str("the states of the live patients need more than ",
                              options_.memory_bytes,
                              " bytes. Fix: raise memory_bytes, or name a spill_folder."));
    }
    spill(recent_.front());
  }
}

void PatientStore::spill(int64_t subject_id) {
  Entry& leaving = entry(subject_id);
  const std::string path = spill_path(subject_id), bytes = format_.to_bytes(*leaving.state);
  // Of use to this process only, so it need not survive a power cut as saved states do.
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    throw ResourceError(str(path, ": cannot write a patient's state. Fix: free disk space there."));
  }
  leaving.state.reset();
  recent_.erase(leaving.recent);
  used_ -= leaving.bytes;
}

}  // namespace sequela
