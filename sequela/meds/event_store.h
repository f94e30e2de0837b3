#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/time.h"

namespace sequela {

// The code that marks a subject's birth. Of several, the earliest counts.
inline constexpr std::string_view kBirthCode = "MEDS_BIRTH";

// A null float32 in the store: a NaN with this payload. Any other NaN is a value that was NaN.
inline constexpr uint32_t kNullFloatBits = 0x7FC0'5E9Au;
inline const float kNullFloat = __builtin_bit_cast(float, kNullFloatBits);
inline bool is_null_float(float value) {
  return __builtin_bit_cast(uint32_t, value) == kNullFloatBits;
}

// One column of values beside the code: numeric_value, text_value, or a further column of the
// source.
struct Property {
  std::string name;
  bool is_text = false;  // text: the store holds indices into `texts`; else float32
  // Distinct values, sorted bytewise, valid while the store lives; for each the number that it
  // parses as by the rules of Python's float(), if it does (else a null float; the text "nan" is a
  // number, NaN).
  std::vector<std::string_view> texts;
  std::vector<float> text_numbers;
};

// The values of one property for the events of one subject; exactly one of numbers, local_texts is
// set.
struct PropertyValues {
  const float* numbers = nullptr;        // null float = no value
  const int32_t* local_texts = nullptr;  // -1 = no value
  const int32_t* text_ids = nullptr;     // local text -> index into Property::texts

  std::optional<float> number(int64_t i) const {
    if (numbers == nullptr || is_null_float(numbers[i])) return std::nullopt;
    return numbers[i];
  }
  // Index into Property::texts, -1 = no value.
  int32_t text(int64_t i) const {
    if (local_texts == nullptr || local_texts[i] < 0) return -1;
    return text_ids[local_texts[i]];
  }
  bool has_value(int64_t i) const {
    return numbers != nullptr ? !is_null_float(numbers[i]) : local_texts[i] >= 0;
  }
  // The same column, with event `first_event` as event 0.
  PropertyValues from(int64_t first_event) const {
    if (numbers != nullptr) return {numbers + first_event, nullptr, nullptr};
    return {nullptr, local_texts + first_event, text_ids};
  }
};

// The properties of one subject: a view on its shard's columns that starts at the subject's first
// event. Elements are made on the fly, so that a Subject allocates nothing.
class PropertyList {
 public:
  PropertyList() = default;
  // Of values that start at the subject's first event already; they must outlive the list.
  PropertyList(std::span<const PropertyValues> values) : PropertyList(values, 0) {}
  PropertyList(const std::vector<PropertyValues>& values)
      : PropertyList(std::span<const PropertyValues>(values), 0) {}
  PropertyList(std::span<const PropertyValues> shard_values, int64_t first_event)
      : values_(shard_values), first_event_(first_event) {}

  size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  PropertyValues operator[](size_t i) const { return values_[i].from(first_event_); }

  class Iterator {
   public:
    Iterator(const PropertyList* list, size_t i) : list_(list), i_(i) {}
    PropertyValues operator*() const { return (*list_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return i_ != other.i_; }

   private:
    const PropertyList* list_;
    size_t i_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  std::span<const PropertyValues> values_;
  int64_t first_event_ = 0;
};

// One subject's events in order of time, those without a time first. A view: valid while its store
// lives.
class Subject {
 public:
  int64_t id = 0;
  int64_t birth_us =
      kNoTime;  // earliest MEDS_BIRTH with a time; kNoTime = none, such subjects are skipped
  int64_t num_events = 0;
  const int64_t* times_us = nullptr;  // kNoTime = static
  const int32_t* local_codes = nullptr;
  const int32_t* code_ids = nullptr;  // local code -> index into EventStore::codes()
  PropertyList properties;            // parallel to EventStore::properties()
  PropertyList value_properties;      // those of numeric_value and text_value only

  int32_t code(int64_t i) const { return code_ids[local_codes[i]]; }
  int64_t time_us(int64_t i) const { return times_us[i]; }
  // True if event i has any value in numeric_value or text_value: it is then no survival event.
  bool has_value(int64_t i) const {
    for (const PropertyValues values : value_properties) {
      if (values.has_value(i)) return true;
    }
    return false;
  }
};

// A run of subjects that is worked on as one unit. Cut by the data alone (subjects and events),
// never by threads or memory, so that per-chunk results merged in chunk order do not depend on the
// machine.
struct Chunk {
  int64_t first_subject = 0;
  int64_t num_subjects = 0;
  int64_t num_events = 0;
};

// All events of a data set, decoded once (16 to 24 bytes an event) and memory-mapped: see
// docs/formats.md. Subjects are numbered 0 .. num_subjects - 1 by ascending subject id. Thread-safe
// to read.
class EventStore {
 public:
  // Opens a folder that ingest() made. Throws FileError if a file is missing or damaged.
  static EventStore open(const std::string& folder);
  EventStore(EventStore&&) noexcept;
  EventStore& operator=(EventStore&&) noexcept;
  ~EventStore();

  int64_t num_subjects() const;
  int64_t num_events() const;
  // Distinct codes of the data, sorted bytewise; a code id is an index into this, and counts()[id]
  // the number of its events.
  const std::vector<std::string>& codes() const;
  const std::vector<int64_t>& counts() const;
  const std::vector<Property>& properties() const;
  int find_property(const std::string& name) const;  // -1 = none
  const std::vector<Chunk>& chunks() const;

  int64_t subject_id(int64_t index) const;
  Subject subject(int64_t index) const;                           // O(1), allocates nothing
  std::optional<int64_t> find_subject(int64_t subject_id) const;  // index of a subject id

  // Takes the events of the subjects first_subject .. end_subject - 1 out of resident memory.
  // Called by a pass behind what it has finished, so that memory does not grow with the data; the
  // events stay readable, at the price of a page fault.
  void release(int64_t first_subject, int64_t end_subject) const;

 private:
  struct State;
  explicit EventStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sequela
