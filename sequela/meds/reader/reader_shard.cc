#include "sequela/meds/reader/reader_shard.h"

#include <algorithm>
#include <cstring>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/meds/reader/reader_blocks.h"

namespace sequela {
namespace {

template <class T>
double load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return static_cast<double>(value);
}

double load_number(ReaderType type, const char* bytes) {
  switch (type) {
    case ReaderType::float32:
      return load<float>(bytes);
    case ReaderType::float64:
      return load<double>(bytes);
    case ReaderType::int8:
      return load<int8_t>(bytes);
    case ReaderType::int16:
      return load<int16_t>(bytes);
    case ReaderType::int32:
      return load<int32_t>(bytes);
    case ReaderType::uint8:
      return load<uint8_t>(bytes);
    case ReaderType::uint16:
      return load<uint16_t>(bytes);
    case ReaderType::uint32:
      return load<uint32_t>(bytes);
    case ReaderType::uint64:
      return load<uint64_t>(bytes);
    default:
      return load<int64_t>(bytes);
  }
}

ReaderColumn open_checked(const ReaderDatabase& database, const std::string& name,
                          std::initializer_list<ReaderType> allowed) {
  const ReaderType type = database.property(name).type;
  if (allowed.size() > 0 && std::find(allowed.begin(), allowed.end(), type) == allowed.end()) {
    throw DataError({.path = database.folder(), .column = name},
                    "has a type that MEDS does not allow",
                    "convert the data set again, with the types of MEDS");
  }
  return database.open_column(name);
}

ReaderColumn open_property(const ReaderDatabase& database, const std::string& name) {
  if (name == "numeric_value") {
    return open_checked(database, name, {ReaderType::float32, ReaderType::float64});
  }
  if (name == "text_value") {
    return open_checked(database, name, {ReaderType::string, ReaderType::large_string});
  }
  return open_checked(database, name, {});
}

// Decodes subject by subject and passes full blocks to the builder.
class RangeReader {
 public:
  RangeReader(const ReaderDatabase& database, const ReaderColumns& columns,
              const std::vector<PropertyColumn>& properties, ShardBuilder* builder);
  void read(const ReaderRange& range);

 private:
  void decode_subject(int64_t position);
  void decode_codes(int64_t position);
  void decode_numbers(int64_t position, size_t property);
  void decode_texts(int64_t position, size_t property);
  int32_t text_id(size_t property, uint32_t number);
  void append_subject(int64_t subject_id);

  const ReaderDatabase& database_;
  const ReaderColumns& columns_;
  const std::vector<PropertyColumn>& properties_;
  ShardBuilder* builder_;
  BlockDecoder decoder_;
  EventBlock block_;
  // The subject in work.
  int64_t num_events_ = 0;
  std::vector<int64_t> times_us_;
  std::vector<int32_t> codes_;
  std::vector<std::vector<float>> numbers_;
  std::vector<std::vector<int32_t>> texts_;
  StringBlock strings_;
  // Numbers in the shard of the strings that subjects share; -2 = not met yet.
  std::vector<int32_t> shared_codes_;
  std::vector<std::vector<int32_t>> shared_texts_;
};

RangeReader::RangeReader(const ReaderDatabase& database, const ReaderColumns& columns,
                         const std::vector<PropertyColumn>& properties, ShardBuilder* builder)
    : database_(database),
      columns_(columns),
      properties_(properties),
      builder_(builder),
      block_(properties),
      numbers_(properties.size()),
      texts_(properties.size()),
      shared_codes_(columns.code.shared().size(), -2) {
  for (const ReaderColumn& column : columns.properties) {
    shared_texts_.emplace_back(column.shared().size(), -2);
  }
}

void RangeReader::read(const ReaderRange& range) {
  block_.size = 0;
  for (int64_t i = 0; i < range.num_subjects; ++i) {
    const int64_t position = range.first_position + i;
    if (i % 1024 == 0) throw_if_stopped();
    decode_subject(position);
    append_subject(database_.subject_id(position));
  }
  if (block_.size > 0) builder_->append(block_);
}

// Codes come first: every event has one of at least a byte, which bounds the number of events.
void RangeReader::decode_subject(int64_t position) {
  num_events_ = database_.num_events(position);
  const ReaderColumn* column = &columns_.code;
  try {
    decode_codes(position);
    column = &columns_.time;
    decode_times(column->block(position, &decoder_), num_events_, &times_us_);
    for (size_t p = 0; p < properties_.size(); ++p) {
      column = &columns_.properties[p];
      properties_[p].is_text ? decode_texts(position, p) : decode_numbers(position, p);
    }
  } catch (const DataError& error) {
    throw error.within({.path = column->path(), .subject_id = database_.subject_id(position)});
  }
  for (int64_t& time_us : times_us_) {
    if (time_us != kNoTime) time_us = builder_->clip_time(time_us);
  }
}

void RangeReader::decode_codes(int64_t position) {
  std::string_view bytes = columns_.code.block(position, &decoder_);
  const PresenceBitmap presence(num_events_, &bytes);
  if (presence.count() != num_events_) {
    throw DataError({.column = "code"}, "null", "give every event a code");
  }
  const auto& shared = columns_.code.shared();
  decode_strings(bytes, num_events_, static_cast<uint32_t>(shared.size()), &strings_);
  codes_.resize(num_events_);
  for (int64_t i = 0; i < num_events_; ++i) {
    const uint32_t number = strings_.numbers[i];
    if (number >= shared.size()) {
      codes_[i] = builder_->add_code(strings_.own[number - shared.size()]);
      continue;
    }
    if (shared_codes_[number] < 0) shared_codes_[number] = builder_->add_code(shared[number]);
    codes_[i] = shared_codes_[number];
  }
}

void RangeReader::decode_numbers(int64_t position, size_t property) {
  const ReaderColumn& column = columns_.properties[property];
  std::string_view bytes = column.block(position, &decoder_);
  const PresenceBitmap presence(num_events_, &bytes);
  const int width = width_of(column.type());
  if (bytes.size() != static_cast<size_t>(presence.count() * width)) {
    throw DataError({}, "damaged database: not one number per value", "convert the data set again");
  }
  std::vector<float>& out = numbers_[property];
  out.resize(num_events_);
  const char* at = bytes.data();
  for (int64_t i = 0; i < num_events_; ++i) {
    out[i] = kNullFloat;
    if (!presence.has(i)) continue;
    out[i] = builder_->check_number(static_cast<float>(load_number(column.type(), at)));
    at += width;
  }
}

void RangeReader::decode_texts(int64_t position, size_t property) {
  const ReaderColumn& column = columns_.properties[property];
  std::string_view bytes = column.block(position, &decoder_);
  const PresenceBitmap presence(num_events_, &bytes);
  const bool is_time = column.type() == ReaderType::timestamp;
  if (!is_time) {
    decode_strings(bytes, presence.count(), static_cast<uint32_t>(column.shared().size()),
                   &strings_);
  } else if (bytes.size() != static_cast<size_t>(presence.count()) * sizeof(int64_t)) {
    throw DataError({}, "damaged database: not one time per value", "convert the data set again");
  }
  texts_[property].assign(num_events_, -1);
  for (int64_t i = 0, k = 0; i < num_events_; ++i) {
    if (!presence.has(i)) continue;
    if (is_time) {
      int64_t time_us;
      std::memcpy(&time_us, bytes.data() + k++ * sizeof(time_us), sizeof(time_us));
      texts_[property][i] = builder_->add_text(property, to_text(builder_->clip_time(time_us)));
    } else {
      texts_[property][i] = text_id(property, strings_.numbers[k++]);
    }
  }
}

int32_t RangeReader::text_id(size_t property, uint32_t number) {
  const auto& shared = columns_.properties[property].shared();
  auto add = [&](std::string_view text) {
    return text.empty() ? -1 : builder_->add_text(property, text);
  };
  if (number >= shared.size()) return add(strings_.own[number - shared.size()]);
  int32_t& id = shared_texts_[property][number];
  if (id == -2) id = add(shared[number]);
  return id;
}

void RangeReader::append_subject(int64_t subject_id) {
  for (int64_t begin = 0; begin < num_events_;) {
    const int64_t at = block_.size;
    const int64_t count = std::min(EventBlock::kMaxEvents - at, num_events_ - begin);
    std::fill_n(block_.subject_ids.data() + at, count, subject_id);
    std::copy_n(times_us_.data() + begin, count, block_.times_us.data() + at);
    std::copy_n(codes_.data() + begin, count, block_.codes.data() + at);
    for (size_t p = 0; p < properties_.size(); ++p) {
      if (properties_[p].is_text) {
        std::copy_n(texts_[p].data() + begin, count, block_.texts[p].data() + at);
      } else {
        std::copy_n(numbers_[p].data() + begin, count, block_.numbers[p].data() + at);
      }
    }
    block_.size += count;
    begin += count;
    if (block_.size < EventBlock::kMaxEvents) continue;
    builder_->append(block_);
    block_.size = 0;
  }
}

}  // namespace

ReaderColumns::ReaderColumns(const ReaderDatabase& database,
                             const std::vector<PropertyColumn>& properties)
    : time(open_checked(database, "time", {ReaderType::timestamp})),
      code(open_checked(database, "code", {ReaderType::string, ReaderType::large_string})) {
  for (const PropertyColumn& property : properties) {
    this->properties.push_back(open_property(database, property.name));
  }
}

void read_database_shard(const ReaderDatabase& database, const ReaderColumns& columns,
                         const std::vector<PropertyColumn>& properties, const ReaderRange& range,
                         ShardBuilder* builder) {
  RangeReader(database, columns, properties, builder).read(range);
}

}  // namespace sequela
