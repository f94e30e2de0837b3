#include "sequela/meds/subject_sets.h"

#include <algorithm>
#include <cstring>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr std::string_view kSetsMagic = "SEQSUBJ1";
constexpr int kNumHashes = 20;  // log2 of a million
constexpr uint64_t kBitsOfSubject = 29;
// An id's places are first + i * step modulo the bits: in a short filter many ids have the same.
constexpr uint64_t kFewestWords = 64;
constexpr uint64_t kFirstHash = 0x5B1, kSecondHash = 0x5B2;
constexpr const char* kMendSets = "take the file of another copy, or remove it";

// Calls visit(word, bit) with an id's places until that returns false.
template <class Visit>
void each_place(int64_t subject_id, uint64_t num_words, Visit visit) {
  const uint64_t num_bits = 64 * num_words;
  uint64_t place = hash_key(kFirstHash, static_cast<uint64_t>(subject_id));
  const uint64_t step = hash_key(kSecondHash, static_cast<uint64_t>(subject_id)) | 1;
  for (int i = 0; i < kNumHashes; ++i, place += step) {
    const uint64_t bit = place % num_bits;
    if (!visit(bit / 64, uint64_t{1} << (bit % 64))) return;
  }
}

template <class T>
void put(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Takes values off the front of a file's bytes.
class SetsReader {
 public:
  SetsReader(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) throw FileError(path_, "ends too early", kMendSets);
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }
  template <class T>
  T take_number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string take_text() { return std::string(take(take_number<uint32_t>())); }
  std::vector<uint64_t> take_words() {
    const auto num = take_number<uint64_t>();
    if (num > bytes_.size() / sizeof(uint64_t)) throw FileError(path_, "ends too early", kMendSets);
    std::vector<uint64_t> words(num);
    if (num > 0)
      std::memcpy(words.data(), take(num * sizeof(uint64_t)).data(), num * sizeof(uint64_t));
    return words;
  }
  bool is_at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  const std::string& path_;
};

}  // namespace

SubjectFilter::SubjectFilter(std::span<const int64_t> subject_ids)
    : num_subjects_(static_cast<int64_t>(subject_ids.size())),
      words_(subject_ids.empty()
                 ? 0
                 : std::max(kFewestWords, (kBitsOfSubject * subject_ids.size() + 63) / 64)) {
  for (const int64_t id : subject_ids) {
    each_place(id, words_.size(), [&](uint64_t word, uint64_t bit) {
      words_[word] |= bit;
      return true;
    });
  }
}

bool SubjectFilter::may_hold(int64_t subject_id) const {
  if (words_.empty()) return false;
  bool holds = true;
  each_place(subject_id, words_.size(),
             [&](uint64_t word, uint64_t bit) { return holds = (words_[word] & bit) != 0; });
  return holds;
}

SubjectSets SubjectSets::read(const std::string& path) {
  const MappedFile file(path);
  SetsReader reader(file.text(), path);
  if (reader.take(kSetsMagic.size()) != kSetsMagic)
    throw FileError(path, "is no file of subject sets", kMendSets);
  SubjectSets sets(reader.take_text());
  const auto num_sets = reader.take_number<uint32_t>();
  for (uint32_t i = 0; i < num_sets; ++i) {
    Named named{reader.take_text(), {}};
    named.filter.num_subjects_ = reader.take_number<int64_t>();
    named.filter.words_ = reader.take_words();
    if ((named.filter.num_subjects_ > 0) != !named.filter.words_.empty())
      throw FileError(path, "a set has no bits", kMendSets);
    sets.sets_.push_back(std::move(named));
  }
  if (!reader.is_at_end()) throw FileError(path, "goes on after its end", kMendSets);
  return sets;
}

void SubjectSets::write(const std::string& path) const {
  std::string bytes(kSetsMagic);
  const auto put_text = [&](const std::string& text) {
    put(static_cast<uint32_t>(text.size()), &bytes);
    bytes += text;
  };
  put_text(rule_);
  put(static_cast<uint32_t>(sets_.size()), &bytes);
  for (const Named& named : sets_) {
    put_text(named.name);
    put(named.filter.num_subjects_, &bytes);
    put(static_cast<uint64_t>(named.filter.words_.size()), &bytes);
    for (const uint64_t word : named.filter.words_) put(word, &bytes);
  }
  write_file(path, bytes);
}

void SubjectSets::set(const std::string& name, std::span<const int64_t> subject_ids) {
  std::erase_if(sets_, [&](const Named& named) { return named.name == name; });
  sets_.push_back({name, SubjectFilter(subject_ids)});
}

}  // namespace sequela
