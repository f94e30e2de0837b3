#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/io/file.h"

namespace sequela {

// A meds_reader database folder (binary versions 1 and 2), memory-mapped. Not trusted: all faults
// are DataError with the file's path. Safe to read from many threads. Source: the format of PyPI
// meds_reader 0.2.0.
//
//   meds_reader.version      "1" or "2"
//   meds_reader.properties   {uint64 length, name, uint64 type} per property
//   subject_id               int64[N] (version 1: patient_id), meds_reader.length uint32[N]
//   <property>/data          uint64[N + 1] offsets, then per subject {uint32 size, one zstd frame}
//   <property>/zdict         zstd dictionary of these frames, may be empty
//   <property>/dictionary    strings that several subjects share, in zstd chunks

enum class ReaderType : uint64_t {
  string,
  large_string,
  timestamp,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64
};
inline constexpr uint64_t kNumReaderTypes = 13;
inline bool is_string(ReaderType type) {
  return type == ReaderType::string || type == ReaderType::large_string;
}
int width_of(ReaderType type);  // bytes of a number or timestamp

// Maps a file of a database. Throws DataError if it is missing: the conversion did not end.
MappedFile map_database_file(const std::string& path);

// Decompresses blocks; one per thread, its memory is used again.
class BlockDecoder {
 public:
  BlockDecoder();
  ~BlockDecoder();
  BlockDecoder(const BlockDecoder&) = delete;
  BlockDecoder& operator=(const BlockDecoder&) = delete;

 private:
  friend class ReaderColumn;
  struct State;
  std::unique_ptr<State> state_;
};

// One property of all subjects.
class ReaderColumn {
 public:
  ReaderColumn(const std::string& folder, ReaderType type, int64_t num_subjects);
  ~ReaderColumn();
  ReaderColumn(ReaderColumn&&) noexcept;

  const std::string& path() const { return data_.path(); }
  ReaderType type() const { return type_; }
  // The decompressed block of the subject at `position`; valid until the decoder's next use.
  std::string_view block(int64_t position, BlockDecoder* decoder) const;
  // Strings that several subjects share; empty for other types.
  const std::vector<std::string_view>& shared() const { return shared_; }

 private:
  struct Dictionaries;
  void read_shared(const std::string& path);
  [[noreturn]] void fail(const std::string& problem) const;

  ReaderType type_;
  MappedFile data_;
  std::span<const uint64_t> offsets_;
  std::unique_ptr<Dictionaries> dictionaries_;
  std::vector<std::string_view> shared_;
};

struct ReaderProperty {
  std::string name;
  ReaderType type = ReaderType::string;
};

class ReaderDatabase {
 public:
  explicit ReaderDatabase(const std::string& folder);

  const std::string& folder() const { return folder_; }
  int64_t num_subjects() const { return static_cast<int64_t>(subject_ids_.size()); }
  int64_t subject_id(int64_t position) const { return subject_ids_[position]; }
  int64_t num_events(int64_t position) const { return lengths_[position]; }
  const std::vector<ReaderProperty>& properties() const { return properties_; }
  const ReaderProperty& property(const std::string& name) const;  // DataError if there is none
  ReaderColumn open_column(const std::string& name) const;

 private:
  void read_properties();
  std::string path_of(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
  std::vector<ReaderProperty> properties_;
  std::vector<int64_t> subject_ids_;
  std::vector<uint32_t> lengths_;
};

}  // namespace sequela
