#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/time.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/store/shard_file.h"
#include "sequela/meds/store/string_table.h"

namespace sequela {

// Some consecutive events on their way into a shard; the source fills it, the builder takes it.
struct EventBlock {
  static constexpr int64_t kMaxEvents = 16384;

  explicit EventBlock(const std::vector<PropertyColumn>& properties);

  int64_t size = 0;
  int row_group = -1;  // for messages
  std::vector<int64_t> subject_ids;
  std::vector<int64_t> times_us;  // within kMinTimeUs .. kMaxTimeUs, or kNoTime
  std::vector<int32_t> codes;     // local
  // By property, one of the two: null float, or -1 = no value.
  std::vector<std::vector<float>> numbers;
  std::vector<std::vector<int32_t>> texts;
};

struct ShardOptions {
  std::string path;
  std::vector<PropertyColumn> properties;
  int64_t num_events = 0;  // exactly so many will come
  // false: events out of order and subjects in several runs are let through, for gather_subjects()
  // to mend.
  bool must_be_ordered = true;
};

// Writes one shard of the event store from events in order of the input, in memory that depends on
// the number of its subjects and distinct texts only. Checks that each subject comes once, its
// events in order of time, those without a time first; a violation is a DataError with row, column
// and subject.
class ShardBuilder {
 public:
  explicit ShardBuilder(const ShardOptions& options);

  // The number of a code. Throws DataError without a place if it is empty, too long or no UTF-8.
  int32_t add_code(std::string_view code);
  // The number of a text of a property. Throws DataError without a place if it is no UTF-8.
  int32_t add_text(size_t property, std::string_view text);
  // A time brought into the range that is let in; counts it if it was not.
  int64_t clip_time(int64_t time_us);
  // A value as it is stored: NaNs are all the same one; counts those that are not finite.
  float check_number(float value);
  // A whole number as a float; counts it if it lost digits.
  float check_integer(int64_t value);

  void append(const EventBlock& block);
  // Adds what an earlier builder of the same events counted.
  void carry_over(const ShardCounters& counters);
  // Ends the shard; it appears under its name. Returns whether all was in order.
  bool finish(const Digest& fingerprint);

 private:
  void append_run(const EventBlock& block, int64_t begin, int64_t end);
  void open_subject(int64_t id, int64_t first_event);
  void note_disorder(const EventBlock& block, int64_t i, int64_t last_time_us);
  void write_block(const EventBlock& block);
  void sort_subjects();
  void count_before_birth();
  void write_tables();

  ShardOptions options_;
  SectionWriter writer_;
  StringTable codes_;
  int32_t birth_code_ = -1;  // -1 = not met yet
  std::vector<int64_t> code_counts_;
  std::vector<StringTable> texts_;
  ShardCounters counters_;
  std::vector<SubjectRow> subjects_;  // runs of one id, in order of the input
  std::vector<int64_t> first_times_;  // by run: its first time, kNoTime if it has none
  int64_t num_events_ = 0;
  int64_t last_time_us_ = kNoTime;
  bool is_ordered_ = true;
};

}  // namespace sequela
