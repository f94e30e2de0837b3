#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/tokenizer/sequence/cehr_tokens.h"

namespace sequela {
namespace {

constexpr const char* kSpecial[] = {"[PAD]", "[MASK]", "[OOV]", "[CLS]", "[UNUSED]"};
constexpr size_t kNumFirstValues = 100;

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

// The quantile of ascending values, linear between neighbours.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

// Mean and spread of values as they come, without outliers: those of the first ones by quantiles,
// later ones by distance from the mean.
class TruncatedMoments {
 public:
  void add(double value, double outlier_std) {
    if (!is_running_) {
      first_.push_back(value);
      if (first_.size() == kNumFirstValues) start(outlier_std);
      return;
    }
    if (std::abs(value - mean_) <= outlier_std * deviation()) update(value);
  }
  void finish(double outlier_std) {
    if (!is_running_ && !first_.empty()) start(outlier_std);
  }
  int64_t count() const { return count_; }
  double mean() const { return mean_; }
  double deviation() const {
    return count_ > 0 ? std::sqrt(squares_ / static_cast<double>(count_)) : 0;
  }

 private:
  void start(double outlier_std) {
    is_running_ = true;
    std::vector<double> sorted = first_;
    std::sort(sorted.begin(), sorted.end());
    const double low = quantile(sorted, normal_cdf(-outlier_std));
    const double high = quantile(sorted, normal_cdf(outlier_std));
    for (const double value : first_) {
      if (value >= low && value <= high) update(value);
    }
    first_ = {};
  }
  void update(double value) {
    ++count_;
    const double step = value - mean_;
    mean_ += step / static_cast<double>(count_);
    squares_ += step * (value - mean_);
  }

  bool is_running_ = false;
  std::vector<double> first_;
  int64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // sum of squared differences from the mean
};

CodeVocabulary fit_vocabulary(const CehrRecords& records, const CehrVocabularyOptions& options) {
  std::vector<int64_t> counts(static_cast<size_t>(records.texts.size()));
  for (const int32_t concept_id : records.concepts) ++counts[static_cast<size_t>(concept_id)];
  std::vector<int32_t> order(counts.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return std::pair(-counts[a], records.texts.text(a)) <
           std::pair(-counts[b], records.texts.text(b));
  });
  std::vector<std::string> codes(std::begin(kSpecial), std::end(kSpecial));
  for (const int32_t concept_id : order) {
    const int64_t count = counts[static_cast<size_t>(concept_id)];
    if (count == 0 || count < options.min_frequency) break;
    if (static_cast<int64_t>(codes.size()) >= options.max_size) break;
    const std::string code(records.texts.text(concept_id));
    const bool is_special =
        std::find(std::begin(kSpecial), std::end(kSpecial), code) != std::end(kSpecial);
    if (!is_special && !code.empty()) codes.push_back(code);
  }
  return CodeVocabulary::from_codes(codes);
}

std::vector<LabStats> fit_lab_stats(const CehrRecords& records,
                                    const CehrVocabularyOptions& options) {
  std::map<std::pair<int32_t, int32_t>, size_t> places;  // in order of coming
  std::vector<std::pair<int32_t, int32_t>> labs;
  std::vector<TruncatedMoments> moments;
  for (int64_t i = 0; i < records.size(); ++i) {
    if (records.value_masks[i] == 0 || !std::isfinite(records.values[i])) continue;
    const std::pair lab(records.concepts[i], records.units[i]);
    const auto [place, is_new] = places.try_emplace(lab, labs.size());
    if (is_new) {
      labs.push_back(lab);
      moments.emplace_back();
    }
    moments[place->second].add(records.values[i], options.outlier_std);
  }
  std::vector<LabStats> out;
  for (size_t i = 0; i < labs.size(); ++i) {
    moments[i].finish(options.outlier_std);
    const auto [concept_id, unit] = labs[i];
    LabStats stats;
    stats.concept_id = records.texts.text(concept_id);
    stats.unit = unit < 0 ? "N/A" : std::string(records.texts.text(unit));
    stats.mean = moments[i].mean();
    stats.std = moments[i].deviation();
    stats.outlier_std = options.outlier_std;
    stats.count = moments[i].count();
    out.push_back(std::move(stats));
  }
  return out;
}

}  // namespace

void CehrVocabularyOptions::validate() const {
  if (max_size < static_cast<int64_t>(std::size(kSpecial)) + 1) {
    throw ConfigError("max_size", std::to_string(max_size), "6 or more");
  }
  if (!(outlier_std > 0)) throw ConfigError("outlier_std", str(outlier_std), "a positive number");
}

CehrTokenizer fit_cehr_tokenizer(const CehrRecords& records, const CehrVocabularyOptions& options) {
  options.validate();
  return CehrTokenizer(fit_vocabulary(records, options), fit_lab_stats(records, options));
}

}  // namespace sequela
