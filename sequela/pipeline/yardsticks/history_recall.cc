#include "sequela/pipeline/yardsticks/history_recall.h"

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/nan.h"
#include "sequela/core/parallel.h"
#include "sequela/core/random.h"
#include "sequela/evaluation/logistic.h"
#include "sequela/evaluation/metrics.h"

namespace sequela {
namespace {

constexpr uint64_t kCodeKey = 0xEC;
constexpr double kL2 = 1e-2;  // of standardised features

// Codes of a label's subject in the year up to the prediction time, ascending, each once.
std::vector<int32_t> codes_before(const EventStore& store, const Label& label) {
  std::vector<int32_t> codes;
  const auto index = store.find_subject(label.subject_id);
  if (!index) return codes;
  const Subject subject = store.subject(*index);
  const int64_t start =
      label.prediction_time_us - static_cast<int64_t>(HistoryRecall::kDays * kMicrosPerDay);
  for (int64_t i = 0; i < subject.num_events; ++i) {
    if (subject.time_us(i) == kNoTime || subject.time_us(i) < start) continue;
    if (subject.time_us(i) > label.prediction_time_us) break;
    codes.push_back(subject.code(i));
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

double median(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return kNaN;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

HistoryRecall::HistoryRecall(const EventStore& store, std::span<const Label> labels,
                             std::vector<uint8_t> is_fitted, int num_threads)
    : is_fitted_(std::move(is_fitted)), num_threads_(num_threads) {
  std::vector<int64_t> counts(store.codes().size());
  for (const Label& label : labels) {
    codes_of_label_.push_back(codes_before(store, label));
    for (const int32_t code : codes_of_label_.back()) ++counts[code];
  }
  for (size_t code = 0; code < counts.size(); ++code) {
    const double share = static_cast<double>(counts[code]) / static_cast<double>(labels.size());
    const auto above = std::upper_bound(kBounds.begin(), kBounds.end(), share);
    if (above == kBounds.begin() || above == kBounds.end()) continue;
    codes_[above - kBounds.begin() - 1].push_back(static_cast<int32_t>(code));
  }
  const auto key = [&](int32_t code) {
    uint64_t hash = kCodeKey;
    for (const char letter : store.codes()[code]) hash = hash_key(hash, letter);
    return hash;
  };
  for (std::vector<int32_t>& own : codes_) {
    std::sort(own.begin(), own.end(), [&](int32_t a, int32_t b) { return key(a) < key(b); });
    own.resize(std::min<size_t>(own.size(), kCodesPerClass));
  }
}

double HistoryRecall::read_code(const DenseMatrix& fitted, const DenseMatrix& tested, int32_t code,
                                std::span<const std::vector<int64_t>, 2> rows) const {
  std::array<std::vector<uint8_t>, 2> outcomes;
  for (int side = 0; side < 2; ++side) {
    for (const int64_t row : rows[side]) {
      const std::vector<int32_t>& own = codes_of_label_[row];
      outcomes[side].push_back(std::binary_search(own.begin(), own.end(), code));
    }
    const auto positives = std::count(outcomes[side].begin(), outcomes[side].end(), 1);
    if (positives == 0 || positives == std::ssize(outcomes[side])) return kNaN;
  }
  const LogisticModel model = fit_logistic(fitted, outcomes[0], {.l2 = kL2});
  return ScoredOutcomes(model.predict(tested), outcomes[1]).auroc();
}

Figures HistoryRecall::measure(const DenseMatrix& embeddings,
                               std::span<const LabelState> states) const {
  std::array<std::vector<int64_t>, 2> rows;  // of the fitting side and of the other
  for (size_t i = 0; i < states.size(); ++i) {
    if (states[i] == LabelState::embedded)
      rows[is_fitted_[i] ? 0 : 1].push_back(static_cast<int64_t>(i));
  }
  const DenseMatrix fitted = select_rows(embeddings, rows[0]);
  const DenseMatrix tested = select_rows(embeddings, rows[1]);
  std::vector<std::pair<int, int32_t>> reads;  // class and code
  for (int i = 0; i < std::ssize(codes_); ++i) {
    for (const int32_t code : codes_[i]) reads.emplace_back(i, code);
  }
  std::vector<double> values(reads.size());
  parallel_for(std::ssize(reads), num_threads_, [&](int64_t i, int) {
    values[i] = read_code(fitted, tested, reads[i].second, rows);
  });
  Figures figures = {{"eval/recall", median(values), "recall of history"}};
  for (int k = 0; k < std::ssize(codes_); ++k) {
    std::vector<double> own;
    for (size_t i = 0; i < reads.size(); ++i) {
      if (reads[i].first == k) own.push_back(values[i]);
    }
    if (own.empty()) continue;
    figures.push_back(
        {str("eval/recall/", std::lround(100 * kBounds[k]), "_", std::lround(100 * kBounds[k + 1])),
         median(own), ""});
  }
  return figures;
}

}  // namespace sequela
