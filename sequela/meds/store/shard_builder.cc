#include "sequela/meds/store/shard_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sequela/core/error.h"
#include "sequela/core/utf8.h"
#include "sequela/meds/text_rules.h"

namespace sequela {
namespace {

constexpr const char* kSortFix = "sort by subject_id, time (nulls first), or give --repair";

bool by_id(const SubjectRow& a, const SubjectRow& b) {
  return a.id < b.id;
}

}  // namespace

EventBlock::EventBlock(const std::vector<PropertyColumn>& properties)
    : subject_ids(kMaxEvents),
      times_us(kMaxEvents),
      codes(kMaxEvents),
      numbers(properties.size()),
      texts(properties.size()) {
  for (size_t p = 0; p < properties.size(); ++p) {
    if (properties[p].is_text)
      texts[p].resize(kMaxEvents);
    else
      numbers[p].resize(kMaxEvents);
  }
}

ShardBuilder::ShardBuilder(const ShardOptions& options)
    : options_(options),
      writer_(options.path, kShardMagic, kShardVersion,
              num_shard_sections(options.properties.size())),
      texts_(options.properties.size()) {
  writer_.reserve(kTimes, options_.num_events * sizeof(int64_t));
  writer_.reserve(kCodes, options_.num_events * sizeof(int32_t));
  for (size_t p = 0; p < options_.properties.size(); ++p) {
    writer_.reserve(values_section(p), options_.num_events * sizeof(int32_t));
  }
}

int32_t ShardBuilder::add_code(std::string_view code) {
  if (code.size() > kMaxCodeBytes) {
    throw DataError({.column = "code"},
                    str("a code of ", code.size(), " bytes, the limit is ", kMaxCodeBytes),
                    "shorten it, or move the text to text_value");
  }
  if (code.empty()) throw DataError({.column = "code"}, "an empty code", "give every event a code");
  if (!is_valid_utf8(code)) throw DataError({.column = "code"}, "not valid UTF-8", "re-encode it");
  const int32_t id = codes_.add(code);
  if (birth_code_ < 0 && code == kBirthCode) birth_code_ = id;
  return id;
}

int32_t ShardBuilder::add_text(size_t property, std::string_view text) {
  if (!is_valid_utf8(text)) {
    throw DataError({.column = options_.properties[property].name}, "not valid UTF-8",
                    "re-encode it");
  }
  return texts_[property].add(text);
}

int64_t ShardBuilder::clip_time(int64_t time_us) {
  if (time_us >= kMinTimeUs && time_us <= kMaxTimeUs) return time_us;
  ++counters_.clipped_times;
  return std::clamp(time_us, kMinTimeUs, kMaxTimeUs);
}

float ShardBuilder::check_number(float value) {
  if (std::isfinite(value)) return value;
  ++counters_.non_finite_values;
  return std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value;
}

float ShardBuilder::check_integer(int64_t value) {
  const auto number = static_cast<float>(value);
  // The float next above the largest integer is 2^63, which does not convert back.
  const bool is_exact = number < 0x1p63F && static_cast<int64_t>(number) == value;
  if (!is_exact) ++counters_.rounded_values;
  return number;
}

void ShardBuilder::append(const EventBlock& block) {
  SEQUELA_CHECK(block.size <= options_.num_events - num_events_);
  code_counts_.resize(codes_.size());
  const int64_t* ids = block.subject_ids.data();
  for (int64_t begin = 0; begin < block.size;) {
    int64_t end = begin + 1;
    while (end < block.size && ids[end] == ids[begin]) ++end;
    if (subjects_.empty() || subjects_.back().id != ids[begin]) {
      open_subject(ids[begin], num_events_ + begin);
    }
    append_run(block, begin, end);
    begin = end;
  }
  write_block(block);
  num_events_ += block.size;
}

void ShardBuilder::open_subject(int64_t id, int64_t first_event) {
  subjects_.push_back({.id = id, .birth_us = kNoTime, .first_event = first_event});
  first_times_.push_back(kNoTime);
  last_time_us_ = kNoTime;
}

void ShardBuilder::append_run(const EventBlock& block, int64_t begin, int64_t end) {
  const int64_t* times_us = block.times_us.data();
  const int32_t* codes = block.codes.data();
  SubjectRow& subject = subjects_.back();
  int64_t last_time_us = last_time_us_;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t time_us = times_us[i];
    if (time_us < last_time_us) note_disorder(block, i, last_time_us);
    // Static events are few and come first, so both branches are foreseen well.
    if (time_us == kNoTime)
      ++counters_.num_static_events;
    else if (last_time_us == kNoTime)
      first_times_.back() = time_us;
    last_time_us = time_us;
    const int32_t code = codes[i];
    ++code_counts_[code];
    if (code == birth_code_ && time_us != kNoTime) {
      subject.birth_us = ++subject.num_births == 1 ? time_us : std::min(subject.birth_us, time_us);
    }
  }
  subject.num_events += end - begin;
  last_time_us_ = last_time_us;
}

void ShardBuilder::note_disorder(const EventBlock& block, int64_t i, int64_t last_time_us) {
  is_ordered_ = false;
  if (!options_.must_be_ordered) return;
  throw DataError({.row_group = block.row_group,
                   .row = num_events_ + i,
                   .column = "time",
                   .subject_id = block.subject_ids[i]},
                  block.times_us[i] == kNoTime && last_time_us != kNoTime
                      ? "no time, but the row before has one"
                      : "earlier than the row before",
                  kSortFix);
}

void ShardBuilder::write_block(const EventBlock& block) {
  const uint64_t words = num_events_ * sizeof(int32_t);
  const uint64_t bytes = block.size * sizeof(int32_t);
  writer_.write_at(kTimes, 2 * words, block.times_us.data(), 2 * bytes);
  writer_.write_at(kCodes, words, block.codes.data(), bytes);
  for (size_t p = 0; p < options_.properties.size(); ++p) {
    const bool is_text = options_.properties[p].is_text;
    const void* values = is_text ? static_cast<const void*>(block.texts[p].data())
                                 : static_cast<const void*>(block.numbers[p].data());
    writer_.write_at(values_section(p), words, values, bytes);
  }
}

void ShardBuilder::carry_over(const ShardCounters& counters) {
  counters_.non_finite_values += counters.non_finite_values;
  counters_.clipped_times += counters.clipped_times;
  counters_.rounded_values += counters.rounded_values;
}

bool ShardBuilder::finish(const Digest& fingerprint) {
  SEQUELA_CHECK(num_events_ == options_.num_events);
  if (is_ordered_) count_before_birth();
  if (!std::is_sorted(subjects_.begin(), subjects_.end(), by_id)) sort_subjects();
  write_tables();
  writer_.commit(fingerprint);
  return is_ordered_;
}

// Births come with the first timed event but in odd records, so few subjects are read back.
void ShardBuilder::count_before_birth() {
  std::vector<int64_t> times_us;
  for (size_t s = 0; s < subjects_.size(); ++s) {
    SubjectRow& row = subjects_[s];
    if (row.birth_us == kNoTime || first_times_[s] >= row.birth_us) continue;
    times_us.resize(row.num_events);
    writer_.read_back(kTimes, row.first_event * sizeof(int64_t), times_us.data(),
                      times_us.size() * sizeof(int64_t));
    row.num_before_birth =
        static_cast<int32_t>(std::lower_bound(times_us.begin(), times_us.end(), row.birth_us) -
                             std::upper_bound(times_us.begin(), times_us.end(), kNoTime));
  }
}

void ShardBuilder::sort_subjects() {
  std::stable_sort(subjects_.begin(), subjects_.end(), by_id);
  const auto twin = std::adjacent_find(subjects_.begin(), subjects_.end(),
                                       [](const auto& a, const auto& b) { return a.id == b.id; });
  if (twin == subjects_.end()) return;
  is_ordered_ = false;
  if (!options_.must_be_ordered) return;
  throw DataError(
      {.row = twin[1].first_event, .column = "subject_id", .subject_id = twin->id},
      str("the subject's rows do not lie together: an earlier run of them begins at row ",
          twin->first_event),
      kSortFix);
}

void ShardBuilder::write_tables() {
  code_counts_.resize(codes_.size());
  writer_.add<SubjectRow>(kSubjects, subjects_);
  writer_.add<uint64_t>(kCodeEnds, codes_.ends());
  writer_.add_text(kCodeBytes, codes_.bytes());
  writer_.add<int64_t>(kCodeCounts, code_counts_);
  writer_.add<ShardCounters>(kCounters, {&counters_, 1});
  for (size_t p = 0; p < options_.properties.size(); ++p) {
    if (!options_.properties[p].is_text) {
      writer_.reserve(text_ends_section(p), 0);
      writer_.reserve(text_bytes_section(p), 0);
      continue;
    }
    writer_.add<uint64_t>(text_ends_section(p), texts_[p].ends());
    writer_.add_text(text_bytes_section(p), texts_[p].bytes());
  }
}

}  // namespace sequela
