#include "sequela/synth/shard_writer.h"

#include <cmath>

#include "sequela/core/time.h"

namespace sequela {
namespace {

constexpr int64_t kRowsPerGroup = int64_t{1} << 17;
enum Column { kSubjectId, kTime, kCode, kNumericValue, kTextValue, kUnit };

template <class T>
std::vector<T>& values_of(Table& table, Column column) {
  return std::get<std::vector<T>>(table[column].values);
}

Table make_table(size_t num_rows) {
  const auto empty = std::vector<uint8_t>(num_rows);
  const auto texts = std::vector<std::string>(num_rows);
  const auto numbers = std::vector<int64_t>(num_rows);
  return {{.name = "subject_id", .values = numbers},
          {.name = "time", .values = numbers, .valid = empty, .is_timestamp = true},
          {.name = "code", .values = texts},
          {.name = "numeric_value", .values = std::vector<float>(num_rows), .valid = empty},
          {.name = "text_value", .values = texts, .valid = empty, .is_large_text = true},
          {.name = "unit", .values = texts, .valid = empty}};
}

void resize_table(Table& table, size_t num_rows) {
  for (TableColumn& column : table) {
    std::visit([num_rows](auto& values) { values.resize(num_rows); }, column.values);
    if (!column.valid.empty()) column.valid.resize(num_rows);
  }
}

}  // namespace

ShardWriter::ShardWriter(const SynthVocabulary& vocabulary, const std::string& path)
    : vocabulary_(vocabulary), writer_(path), table_(make_table(kRowsPerGroup)) {}

void ShardWriter::write(const SynthRecord& record) {
  auto& ids = values_of<int64_t>(table_, kSubjectId);
  auto& times = values_of<int64_t>(table_, kTime);
  auto& codes = values_of<std::string>(table_, kCode);
  auto& numbers = values_of<float>(table_, kNumericValue);
  auto& texts = values_of<std::string>(table_, kTextValue);
  auto& units = values_of<std::string>(table_, kUnit);
  for (const SynthEvent& event : record.events) {
    const int64_t row = num_rows_++;
    const bool has_number = !std::isnan(event.value);
    ids[row] = record.person.id;
    times[row] = event.time_us;
    table_[kTime].valid[row] = event.time_us != kNoTime;
    codes[row] = vocabulary_.codes[event.code];
    numbers[row] = event.value;
    table_[kNumericValue].valid[row] = has_number;
    table_[kTextValue].valid[row] = event.text >= 0;
    if (event.text >= 0) texts[row] = tobacco_texts()[event.text];
    table_[kUnit].valid[row] = has_number;
    if (has_number) units[row] = vocabulary_.units[event.code];
    if (num_rows_ == kRowsPerGroup) write_rows();
  }
}

void ShardWriter::write_rows() {
  writer_.write(table_);
  num_rows_ = 0;
}

void ShardWriter::finish() {
  resize_table(table_, static_cast<size_t>(num_rows_));
  if (num_rows_ > 0) write_rows();
  writer_.finish();
}

}  // namespace sequela
