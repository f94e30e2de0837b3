#include "sequela/tokenizer/code_numbers.h"

namespace sequela {
namespace {

constexpr int32_t kSampleSize = 500;  // of a code: enough for tens of quantiles

}  // namespace

void CodeNumbers::count(Code& code) {
  if (!code.sample) code.sample.emplace(kSampleSize);
  if (code.stamp != stamp_) {
    code.stamp = stamp_;
    code.count = 0;
    ++code.num_subjects;
  }
  ++code.count;
}

void CodeNumbers::offer(Code& code, uint64_t hash, float number) {
  if (hash <= code.sample->hash_limit(code.count)) code.sample->add(hash, code.count, number);
}

void CodeNumbers::merge(const CodeNumbers& other) {
  for (size_t c = 0; c < codes_.size(); ++c) {
    if (!other.codes_[c].sample) continue;
    if (!codes_[c].sample) codes_[c].sample.emplace(kSampleSize);
    codes_[c].sample->merge(*other.codes_[c].sample);
    codes_[c].num_subjects += other.codes_[c].num_subjects;
  }
}

}  // namespace sequela
