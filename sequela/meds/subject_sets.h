#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sequela {

// A set of subject ids that answers whether an id is in it, but cannot be read out: a Bloom filter
// of 29 bits an id. Of ids that are not in it, it takes one in a million for a member.
//
// Source: Bloom, Space/time trade-offs in hash coding with allowable errors, Communications of the
// ACM 13 (1970), 422-426; two hashes for all places as in Kirsch and Mitzenmacher, Less hashing,
// same performance, Random Structures and Algorithms 33 (2008), 187-218.
class SubjectFilter {
 public:
  static constexpr double kFalsePositives = 1e-6;

  SubjectFilter() = default;  // of no subject
  explicit SubjectFilter(std::span<const int64_t> subject_ids);

  bool may_hold(int64_t subject_id) const;
  int64_t num_subjects() const { return num_subjects_; }

 private:
  friend class SubjectSets;
  int64_t num_subjects_ = 0;
  std::vector<uint64_t> words_;
};

// Which subjects a model has learned from, by what for: "pretrain train", "pretrain validation",
// "finetune train", ... The file travels in the model's folder. Whoever has it can ask for one id
// after the other, but not for the list. Little-endian:
//
//   8 bytes   "SEQSUBJ1"
//   uint32    length of the rule, and its text: how the subjects were dealt
//   uint32    number of sets; then for each
//     uint32    length of its name, and its text
//     int64     number of subjects
//     uint64    number of words, and the words
class SubjectSets {
 public:
  static constexpr const char* kFileName = "subjects.filter";

  struct Named {
    std::string name;
    SubjectFilter filter;
  };

  SubjectSets() = default;
  explicit SubjectSets(std::string rule) : rule_(std::move(rule)) {}
  // FileError if the file is damaged. Untrusted.
  static SubjectSets read(const std::string& path);
  void write(const std::string& path) const;  // atomic

  // Puts a set in place of one of its name.
  void set(const std::string& name, std::span<const int64_t> subject_ids);
  const std::string& rule() const { return rule_; }
  const std::vector<Named>& sets() const { return sets_; }

 private:
  std::string rule_;
  std::vector<Named> sets_;
};

}  // namespace sequela
