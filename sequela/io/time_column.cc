#include "sequela/io/time_column.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/time.h"

namespace sequela {
namespace {

constexpr int64_t kMaxDays = kMaxTimeUs / kMicrosPerDay;

std::vector<ColumnType> allowed_types(TimeColumn::Texts texts) {
  std::vector<ColumnType> types = {ColumnType::timestamp};
  if (texts == TimeColumn::Texts::allowed) types.push_back(ColumnType::string);
  return types;
}

}  // namespace

const char* zone_rule_name(ZoneRule rule) {
  return rule == ZoneRule::local ? "local" : "utc";
}

ZoneRule parse_zone_rule(const std::string& text) {
  if (text == "utc") return ZoneRule::utc;
  if (text == "local") return ZoneRule::local;
  throw ConfigError("time-zone", text, "utc or local");
}

void TimeNotes::add(const TimeNotes& other) {
  if (zone.empty()) zone = other.zone;
  has_dates = has_dates || other.has_dates;
}

void TimeNotes::say(const std::string& what, ZoneRule rule) const {
  if (has_dates) {
    log_warning(
        str("times of the ", what, " are dates without a time of day; each is its day's start"));
  }
  if (zone.empty()) return;
  if (rule == ZoneRule::local) {
    log_info(
        str("times of the ", what, " are taken as the clock of their zone (", zone, ") showed"));
  } else {
    log_warning(str("times of the ", what, " have a zone (", zone,
                    "); they are taken in UTC (--time-zone local takes the zone's clock)"));
  }
}

TimeColumn::TimeColumn(const ParquetReader& reader, const std::string& name, ZoneRule rule,
                       Texts texts)
    : rule_(rule) {
  const std::optional<int> found = reader.find_column(name);
  const bool is_date = found && reader.columns()[*found].is_date;
  column_ = is_date ? *found : reader.require_column(name, allowed_types(texts));
  const ColumnInfo& info = reader.columns()[column_];
  type_ = info.type;
  notes_ = {info.zone, is_date};
  if (rule == ZoneRule::local && !info.zone.empty()) clock_.emplace(info.zone);
}

int64_t TimeColumn::time_us(const ColumnSlice& slice, int64_t i) {
  if (type_ == ColumnType::string) {
    const std::optional<int64_t> time = text_time(slice.text(i), rule_, &notes_);
    if (!time) {
      throw DataError({}, "the text is no time", "write times as 2020-01-31 23:59:59");
    }
    return *time;
  }
  if (notes_.has_dates) return std::clamp(slice.int64s[i], -kMaxDays, kMaxDays) * kMicrosPerDay;
  return clock_ ? clock_->clock_us(slice.int64s[i]) : slice.int64s[i];
}

std::optional<int64_t> text_time(std::string_view text, ZoneRule rule, TimeNotes* notes) {
  const std::optional<ClockTime> time = parse_clock_time(text);
  if (!time) return std::nullopt;
  notes->has_dates = notes->has_dates || time->is_date;
  if (time->has_zone && notes->zone.empty()) notes->zone = "an offset from UTC";
  return rule == ZoneRule::local ? time->clock_us : time->utc_us();
}

}  // namespace sequela
