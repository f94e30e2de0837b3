#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/meds/event_store.h"
#include "sequela/tokenizer/reservoir.h"

namespace sequela {

// Numbers of one property, sampled for each code by itself. What is kept does not depend on the
// order of the subjects. Numbers that are NaN or infinite are left out.
class CodeNumbers {
 public:
  struct Code {
    int64_t num_subjects = 0;  // with a number under the code
    std::optional<Reservoir> sample;
    int32_t stamp = 0;  // of the subject last met in
    int32_t count = 0;  // of its numbers
  };

  explicit CodeNumbers(size_t num_codes) : codes_(num_codes) {}

  // `number_at(i)` gives event i's number, NaN = none; `base` keys the hashes of the subject's
  // events. Each of a subject's numbers weighs 1 / (its numbers under the code).
  template <class NumberAt>
  void add(const Subject& subject, uint64_t base, const NumberAt& number_at) {
    ++stamp_;
    for (int64_t i = 0; i < subject.num_events; ++i) {
      if (std::isfinite(number_at(i))) count(codes_[subject.code(i)]);
    }
    for (int64_t i = 0; i < subject.num_events; ++i) {
      const float number = number_at(i);
      if (std::isfinite(number)) offer(codes_[subject.code(i)], mix64(base ^ i), number);
    }
  }

  void merge(const CodeNumbers& other);
  std::vector<Code>& codes() { return codes_; }

 private:
  void count(Code& code);
  static void offer(Code& code, uint64_t hash, float number);

  std::vector<Code> codes_;
  int32_t stamp_ = 0;
};

}  // namespace sequela
