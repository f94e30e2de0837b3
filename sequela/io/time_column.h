#pragma once

#include <optional>
#include <string>

#include "sequela/core/iso_time.h"
#include "sequela/io/parquet.h"
#include "sequela/io/time_zone.h"

namespace sequela {

// How a time that has a zone becomes one that has none, as MEDS's times are.
enum class ZoneRule {
  utc,    // the instant, in UTC
  local,  // what the zone's clock showed
};

const char* zone_rule_name(ZoneRule rule);
ZoneRule parse_zone_rule(const std::string& text);  // "utc" or "local"; ConfigError

// What a column of times was, where it was not as MEDS has it.
struct TimeNotes {
  std::string zone;  // of the first time that has one; empty = none has
  bool has_dates = false;

  void add(const TimeNotes& other);
  // A log line for each; `what` names the kind of file: "labels".
  void say(const std::string& what, ZoneRule rule) const;
};

// Reads a column of times as int64 microseconds: timestamps of any unit, with a zone or without,
// or dates, which are their day's start. Texts ("2020-01-31 23:59:59") only if they are allowed.
class TimeColumn {
 public:
  enum class Texts { refused, allowed };

  // DataError if there is no such column, or it is of another type.
  TimeColumn(const ParquetReader& reader, const std::string& name, ZoneRule rule,
             Texts texts = Texts::refused);

  int column() const { return column_; }  // of the reader
  // True if the slice's int64s are the times already.
  bool is_plain() const { return type_ == ColumnType::timestamp && !clock_; }
  // Of a row that is not null. DataError without a place if its text is no time.
  int64_t time_us(const ColumnSlice& slice, int64_t i);
  const TimeNotes& notes() const { return notes_; }

 private:
  const ZoneRule rule_;
  int column_ = -1;
  ColumnType type_ = ColumnType::timestamp;
  std::optional<ZoneClock> clock_;
  TimeNotes notes_;
};

// Of a text; nothing if it is no time.
std::optional<int64_t> text_time(std::string_view text, ZoneRule rule, TimeNotes* notes);

}  // namespace sequela
