#include "sequela/tokenizer/sequence/cehr_batch.h"

#include <algorithm>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/core/shuffle.h"

namespace sequela {
namespace {

// What a key is for, so that no two uses share their numbers.
enum class Use : uint64_t { truncation = 0x7472756E63, mask = 0x6D61736B, packing = 0x7061636B };

Random random_for(Use use, const CehrBatchOptions& options, int64_t person_id) {
  const uint64_t run =
      hash_key(options.seed, static_cast<uint64_t>(options.epoch), static_cast<uint64_t>(use));
  return Random(hash_key(run, static_cast<uint64_t>(person_id)));
}

struct Window {
  int64_t begin = 0;
  int64_t end = 0;
};

int64_t random_visit_start(const CehrTokenizer& tokenizer, std::span<const int32_t> ids,
                           int64_t length, Random* random) {
  const auto last_start = static_cast<int64_t>(ids.size()) - length;
  const auto starts = std::count(ids.begin(), ids.begin() + last_start, tokenizer.visit_start());
  // A visit longer than the window may leave none to choose from.
  if (starts == 0) return last_start;
  int64_t left = static_cast<int64_t>(random->below(static_cast<uint64_t>(starts)));
  int64_t at = 0;
  while (ids[at] != tokenizer.visit_start() || left-- > 0) ++at;
  return at;
}

// The part of a sequence that is kept; `length` tokens at most.
Window window_of(const CehrTokenizer& tokenizer, std::span<const int32_t> ids, int64_t length,
                 Truncation truncation, Random* random) {
  const auto size = static_cast<int64_t>(ids.size());
  if (size <= length) return {0, size};
  if (truncation == Truncation::random) {
    const auto begin =
        static_cast<int64_t>(random->below(static_cast<uint64_t>(size - length + 1)));
    return {begin, begin + length};
  }
  if (truncation == Truncation::tail) {
    const auto tail = ids.end() - length;
    const auto visit = std::find(tail, ids.end(), tokenizer.visit_start());
    return {(visit == ids.end() ? tail : visit) - ids.begin(), size};
  }
  const int64_t begin = random_visit_start(tokenizer, ids, length, random);
  int64_t end = begin + length;
  if (truncation == Truncation::random_complete) {
    for (int64_t i = end - 1; i > begin; --i) {
      if (ids[i] == tokenizer.visit_end()) return {begin, i};
    }
  }
  return {begin, end};
}

template <class T>
void append_range(const std::vector<T>& from, Window window, std::vector<T>* to) {
  to->insert(to->end(), from.begin() + window.begin, from.begin() + window.end);
}

// [CLS] before the tokens that begin at `first`; an empty sequence is [CLS] alone.
void append_cls(const CehrTokenizer& tokenizer, const CehrTokens& tokens, Window window,
                CehrBatch* batch) {
  const bool is_empty = window.begin == window.end;
  const auto at = static_cast<size_t>(window.begin);
  batch->ids.push_back(tokenizer.cls());
  batch->ages.push_back(is_empty ? 0 : tokens.ages[at]);
  batch->weeks.push_back(is_empty ? 0 : tokens.weeks[at]);
  batch->visit_orders.push_back(is_empty ? 0 : std::max(0, tokens.visit_orders[at] - 1));
  batch->segments.push_back(0);
  batch->value_masks.push_back(0);
  batch->values.push_back(-1);
}

}  // namespace

int64_t CehrBatch::max_length() const {
  int64_t longest = 0;
  for (int64_t i = 0; i < num_sequences(); ++i) longest = std::max(longest, length(i));
  return longest;
}

CehrBatch build_cehr_batch(const CehrTokenizer& tokenizer, const CehrTokens& tokens,
                           std::span<const int64_t> rows, const CehrBatchOptions& options) {
  if (options.max_length < 2) {
    throw ConfigError("max_length", std::to_string(options.max_length), "2 or more");
  }
  CehrBatch batch;
  for (const int64_t row : rows) {
    if (row < 0 || row >= tokens.num_sequences()) throw std::invalid_argument("no such sequence");
    Random random = random_for(Use::truncation, options, tokens.person_ids[row]);
    const int64_t first = tokens.offsets[row];
    Window window =
        window_of(tokenizer, {tokens.ids.data() + first, static_cast<size_t>(tokens.length(row))},
                  options.max_length - 1, options.truncation, &random);
    window = {window.begin + first, window.end + first};
    append_cls(tokenizer, tokens, window, &batch);
    append_range(tokens.ids, window, &batch.ids);
    append_range(tokens.ages, window, &batch.ages);
    append_range(tokens.weeks, window, &batch.weeks);
    append_range(tokens.visit_orders, window, &batch.visit_orders);
    append_range(tokens.segments, window, &batch.segments);
    append_range(tokens.value_masks, window, &batch.value_masks);
    append_range(tokens.values, window, &batch.values);
    batch.person_ids.push_back(tokens.person_ids[row]);
    batch.offsets.push_back(static_cast<int64_t>(batch.ids.size()));
  }
  return batch;
}

void mask_tokens(const CehrTokenizer& tokenizer, const MaskOptions& mask,
                 const CehrBatchOptions& options, CehrBatch* batch) {
  const auto num_ids = static_cast<uint64_t>(tokenizer.vocabulary().size());
  batch->labels.assign(batch->ids.size(), -100);
  for (int64_t row = 0; row < batch->num_sequences(); ++row) {
    Random random = random_for(Use::mask, options, batch->person_ids[row]);
    for (int64_t i = batch->offsets[row] + 1; i < batch->offsets[row + 1]; ++i) {
      int32_t& id = batch->ids[i];
      if (id == tokenizer.pad() || random.uniform() >= mask.probability) continue;
      batch->labels[i] = id;
      const double choice = random.uniform();
      if (choice < mask.replace_with_mask)
        id = tokenizer.mask();
      else if (choice < mask.replace_with_mask + mask.replace_at_random)
        id = static_cast<int32_t>(random.below(num_ids));
    }
  }
}

std::vector<std::vector<int64_t>> plan_packed_rows(std::span<const int64_t> lengths,
                                                   int64_t max_tokens, int64_t max_length,
                                                   uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  CehrBatchOptions key;
  key.seed = seed;
  key.epoch = epoch;
  Random random = random_for(Use::packing, key, 0);
  shuffle(order, random);

  std::vector<std::vector<int64_t>> rows;
  int64_t used = max_tokens;
  for (const int64_t i : order) {
    const int64_t needed = std::min(lengths[i], max_length) + 2;
    if (rows.empty() || used + needed > max_tokens) {
      rows.emplace_back();
      used = 0;
    }
    rows.back().push_back(i);
    used += needed;
  }
  return rows;
}

}  // namespace sequela
