#include "sequela/meds/split.h"

#include <algorithm>
#include <charconv>

#include "sequela/core/error.h"
#include "sequela/core/sha256.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr std::string_view kHeader = "subject_id,split_name";

void put_big_endian(int64_t value, uint8_t* out) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(value >> (56 - 8 * i));
}

// Sorts the ids; a repeated one counts once, as the same subject on the same side does no harm.
void normalize(std::vector<int64_t>* ids) {
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
}

// Takes the first line off `text`, without its LF or CR LF.
std::string_view take_line(std::string_view* text) {
  const size_t end = std::min(text->find('\n'), text->size());
  std::string_view line = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

int64_t parse_id(std::string_view text, const Where& where) {
  int64_t id = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), id);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    throw DataError(where, "subject_id is no 64-bit integer",
                    "write one subject_id,split_name a row");
  }
  return id;
}

}  // namespace

bool is_validation_subject(int64_t subject_id, int64_t seed, double fraction) {
  uint8_t bytes[16];
  put_big_endian(seed, bytes);
  put_big_endian(subject_id, bytes + 8);
  const Digest digest = sha256(bytes, sizeof(bytes));
  return digest[30] * 256 + digest[31] <= fraction * 65536;
}

Split Split::build(const std::vector<int64_t>& subject_ids, int64_t seed, double fraction) {
  Split split;
  for (const int64_t id : subject_ids) {
    (is_validation_subject(id, seed, fraction) ? split.validation_ : split.train_).push_back(id);
  }
  normalize(&split.train_);
  normalize(&split.validation_);
  return split;
}

Split Split::read(const std::string& path) {
  const std::string content = read_file(path);
  std::string_view text = content;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (take_line(&text) != kHeader) {
    throw DataError({.path = path, .row = 0}, "the header is not subject_id,split_name",
                    "give a split.csv as femr writes it");
  }
  Split split;
  for (int64_t row = 1; !text.empty(); ++row) {
    const std::string_view line = take_line(&text);
    if (line.empty()) continue;
    const Where where{.path = path, .row = row};
    const size_t comma = std::min(line.find(','), line.size());
    const int64_t id = parse_id(line.substr(0, comma), where);
    const std::string_view name = line.substr(std::min(comma + 1, line.size()));
    if (name != "train" && name != "test") {
      throw DataError({.path = path, .row = row, .column = "split_name", .subject_id = id},
                      "neither train nor test", "name the split train or test");
    }
    (name == "train" ? split.train_ : split.validation_).push_back(id);
  }
  normalize(&split.train_);
  normalize(&split.validation_);
  std::vector<int64_t> both;
  std::set_intersection(split.train_.begin(), split.train_.end(), split.validation_.begin(),
                        split.validation_.end(), std::back_inserter(both));
  if (!both.empty()) {
    throw DataError({.path = path, .subject_id = both.front()},
                    "the subject is in train and in test", "keep it on one side");
  }
  return split;
}

void Split::write(const std::string& path) const {
  AtomicFile file(path);
  file.write(str(kHeader, '\n'));
  for (const int64_t id : train_) file.write(std::to_string(id) + ",train\n");
  for (const int64_t id : validation_) file.write(std::to_string(id) + ",test\n");
  file.commit();
}

Side Split::side(int64_t subject_id) const {
  if (std::binary_search(train_.begin(), train_.end(), subject_id)) return Side::train;
  if (std::binary_search(validation_.begin(), validation_.end(), subject_id)) {
    return Side::validation;
  }
  return Side::none;
}

std::vector<Side> Split::sides(const EventStore& store) const {
  std::vector<Side> sides(store.num_subjects());
  for (int64_t i = 0; i < store.num_subjects(); ++i) sides[i] = side(store.subject_id(i));
  return sides;
}

}  // namespace sequela
