#include "sequela/meds/store/shard_file.h"

namespace sequela {

ShardFile::ShardFile(const std::string& path, const std::vector<PropertyColumn>& properties)
    : file_(path, kShardMagic, kShardVersion) {
  if (file_.num_sections() != num_shard_sections(properties.size())) {
    file_.fail("it holds other properties than expected");
  }
  subjects = file_.section<SubjectRow>(kSubjects);
  times_us = file_.section<int64_t>(kTimes);
  codes = file_.section<int32_t>(kCodes);
  code_table = read_strings(kCodeEnds, kCodeBytes);
  code_counts = file_.section<int64_t>(kCodeCounts);
  const auto counted = file_.section<ShardCounters>(kCounters);
  if (codes.size() != times_us.size() || counted.size() != 1 ||
      static_cast<int32_t>(code_counts.size()) != code_table.size()) {
    file_.fail("its columns do not agree");
  }
  counters = counted[0];
  for (size_t p = 0; p < properties.size(); ++p) {
    const bool is_text = properties[p].is_text;
    const int section = values_section(p);
    numbers.push_back(is_text ? std::span<const float>() : file_.section<float>(section));
    texts.push_back(is_text ? file_.section<int32_t>(section) : std::span<const int32_t>());
    text_tables.push_back(is_text ? read_strings(text_ends_section(p), text_bytes_section(p))
                                  : StringView());
    if (numbers.back().size() + texts.back().size() != times_us.size()) {
      file_.fail("its columns do not agree");
    }
  }
  for (const SubjectRow& row : subjects) {
    if (row.first_event < 0 || row.num_events < 0 || row.first_event > num_events() ||
        row.num_events > num_events() - row.first_event) {
      file_.fail("a subject lies outside its columns");
    }
  }
}

void ShardFile::release(int64_t first_event, int64_t end_event) const {
  const auto first = static_cast<size_t>(first_event);
  const auto count = static_cast<size_t>(end_event - first_event);
  file_.release(times_us.subspan(first, count));
  file_.release(codes.subspan(first, count));
  for (const auto& column : numbers) {
    if (!column.empty()) file_.release(column.subspan(first, count));
  }
  for (const auto& column : texts) {
    if (!column.empty()) file_.release(column.subspan(first, count));
  }
}

StringView ShardFile::read_strings(int ends, int bytes) const {
  const StringView strings{file_.section<uint64_t>(ends), file_.text(bytes)};
  if (!strings.is_sound()) file_.fail("a table of texts is damaged");
  return strings;
}

}  // namespace sequela
