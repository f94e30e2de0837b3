#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sequela/meds/store/section_file.h"
#include "sequela/meds/store/string_table.h"

namespace sequela {

// A shard of the event store: the events of some subjects, column by column.
//
//   file "shard-<16 hex>.events", a section file (section_file.h) of magic "SQEVENTS"
//   0  subjects       SubjectRow[], by ascending id
//   1  times          int64[n], microseconds, kNoTime = static
//   2  codes          int32[n], local code
//   3  code ends      uint64[c + 1]   4  code bytes   5  code counts int64[c]
//   6  counters       ShardCounters
//   7 + 3p   values of property p: float32[n] (null: kNullFloatBits) or int32[n] local text (-1 =
//   none) 8 + 3p   text ends uint64[t + 1]   9 + 3p   text bytes      (both empty for numbers)
inline constexpr std::string_view kShardMagic = "SQEVENTS";
inline constexpr uint32_t kShardVersion = 2;

struct SubjectRow {
  int64_t id = 0;
  int64_t birth_us = 0;  // kNoTime = none
  int64_t first_event = 0;
  int64_t num_events = 0;
  int32_t num_births = 0;
  int32_t num_before_birth = 0;  // events with a time before the birth
};

// Oddities met while the shard was read, by event.
struct ShardCounters {
  int64_t num_static_events = 0;
  int64_t non_finite_values = 0;
  int64_t clipped_times = 0;
  int64_t rounded_values = 0;
};

// A column to keep beside the code.
struct PropertyColumn {
  std::string name;
  bool is_text = false;
};

enum ShardSection : int {
  kSubjects,
  kTimes,
  kCodes,
  kCodeEnds,
  kCodeBytes,
  kCodeCounts,
  kCounters,
  kFirstProperty,
};
inline int values_section(size_t property) {
  return kFirstProperty + 3 * static_cast<int>(property);
}
inline int text_ends_section(size_t property) {
  return values_section(property) + 1;
}
inline int text_bytes_section(size_t property) {
  return values_section(property) + 2;
}
inline int num_shard_sections(size_t num_properties) {
  return values_section(num_properties);
}

// A finished shard, memory-mapped; a view of its columns.
class ShardFile {
 public:
  // Throws FileError if the file is missing or damaged.
  ShardFile(const std::string& path, const std::vector<PropertyColumn>& properties);

  const std::string& path() const { return file_.path(); }
  const Digest& fingerprint() const { return file_.fingerprint(); }
  int64_t num_events() const { return static_cast<int64_t>(times_us.size()); }

  // Takes the events first_event .. end_event - 1 out of resident memory, for a pass that has
  // finished them; they come back when read again.
  void release(int64_t first_event, int64_t end_event) const;

  std::span<const SubjectRow> subjects;
  std::span<const int64_t> times_us;
  std::span<const int32_t> codes;
  StringView code_table;
  std::span<const int64_t> code_counts;
  ShardCounters counters;
  // Parallel to the properties; numbers or texts is empty.
  std::vector<std::span<const float>> numbers;
  std::vector<std::span<const int32_t>> texts;
  std::vector<StringView> text_tables;

 private:
  SectionFile file_;
  StringView read_strings(int ends, int bytes) const;
};

}  // namespace sequela
