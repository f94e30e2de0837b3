#include "sequela/pipeline/evaluation/methods/code_vector_features.h"

#include <algorithm>

#include "sequela/core/random.h"
#include "sequela/evaluation/code_vectors.h"

namespace sequela {
namespace {

constexpr int64_t kMaxLearnedEvents = 2'000'000;  // of subjects drawn by a hash
constexpr int64_t kDaysOfLastYear = 365;

CodeSequences collect_sequences(const EventStore& store,
                                const std::unordered_set<int64_t>& held_out, uint64_t seed) {
  std::vector<int64_t> subjects;
  for (int64_t index = 0; index < store.num_subjects(); ++index) {
    if (!held_out.contains(store.subject_id(index))) subjects.push_back(index);
  }
  std::ranges::sort(subjects, {}, [&](int64_t index) {
    return hash_key(seed, static_cast<uint64_t>(store.subject_id(index)));
  });
  CodeSequences sequences{.num_codes = static_cast<int32_t>(store.codes().size())};
  for (const int64_t index : subjects) {
    if (static_cast<int64_t>(sequences.codes.size()) >= kMaxLearnedEvents) break;
    const Subject subject = store.subject(index);
    for (int64_t i = 0; i < subject.num_events; ++i) sequences.codes.push_back(subject.code(i));
    sequences.offsets.push_back(static_cast<int64_t>(sequences.codes.size()));
  }
  return sequences;
}

// Adds the mean of the codes' vectors to `mean`.
void add_mean(const DenseMatrix& vectors, std::vector<int32_t>& codes, float* mean) {
  std::ranges::sort(codes);
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  if (codes.empty()) return;
  const float share = 1 / static_cast<float>(codes.size());
  for (const int32_t code : codes) {
    const std::span<const float> own = vectors.row(code);
    for (int64_t k = 0; k < vectors.num_columns; ++k) mean[k] += share * own[k];
  }
}

}  // namespace

DenseFeatures code_vector_features(const EvaluationRecords& records, std::span<const Label> labels,
                                   const std::unordered_set<int64_t>& held_out, uint64_t seed) {
  const DenseMatrix vectors =
      fit_code_vectors(collect_sequences(records.store(), held_out, seed), {.seed = seed});
  const auto num = static_cast<int64_t>(labels.size());
  DenseFeatures features{.matrix = {num, 2 * vectors.num_columns, {}}, .is_known = {}};
  features.matrix.values.resize(num * features.matrix.num_columns);
  std::vector<int32_t> all, recent;
  for (int64_t row = 0; row < num; ++row) {
    const Subject history = records.history(labels[row]).value_or(Subject{});
    all.clear();
    recent.clear();
    for (int64_t i = 0; i < history.num_events; ++i) {
      all.push_back(history.code(i));
      const int64_t time_us = history.time_us(i);
      if (time_us != kNoTime &&
          labels[row].prediction_time_us - time_us <= kDaysOfLastYear * kMicrosPerDay)
        recent.push_back(history.code(i));
    }
    features.is_known.push_back(!all.empty());
    float* own = features.matrix.values.data() + row * features.matrix.num_columns;
    add_mean(vectors, all, own);
    add_mean(vectors, recent, own + vectors.num_columns);
  }
  return features;
}

}  // namespace sequela
