#include "sequela/meds/split.h"

#include <algorithm>
#include <charconv>

#include "sequela/core/error.h"
#include "sequela/core/sha256.h"
#include "sequela/io/csv.h"
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
  CsvReader csv(path, kDelimiterOfHeader, CsvQuoting::rfc4180);
  const std::optional<int> id_column = csv.find_column_of_any_case("subject_id");
  const std::optional<int> name_column = csv.find_column_of_any_case("split_name");
  if (!id_column || !name_column) {
    throw DataError({.path = path, .column = id_column ? "split_name" : "subject_id"},
                    "no such column in the header",
                    "give a split.csv as femr writes it: subject_id,split_name");
  }
  Split split;
  int64_t row = 0;
  csv.for_each_row([&](std::span<const std::string_view> fields, int64_t) {
    const Where where{.path = path, .row = row++};
    const int64_t id = parse_id(stripped(fields[*id_column]), where);
    const std::string_view name = stripped(fields[*name_column]);
    if (name != "train" && name != "test") {
      throw DataError({.path = path, .row = where.row, .column = "split_name", .subject_id = id},
                      "neither train nor test", "name the split train or test");
    }
    (name == "train" ? split.train_ : split.validation_).push_back(id);
  });
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
