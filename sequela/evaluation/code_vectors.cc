#include "sequela/evaluation/code_vectors.h"

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/random.h"

namespace sequela {
namespace {

constexpr int64_t kMaxEpochs = 5;
constexpr double kNoisePower = 0.75;
constexpr double kLastRate = 0.01;  // of the first learning rate
constexpr uint64_t kStartKey = 0xC0DE, kTrainKey = 0xC0DF;

class SkipGram {
 public:
  SkipGram(const CodeSequences& sequences, const CodeVectorsOptions& options)
      : sequences_(sequences), options_(options), counts_(sequences.num_codes) {
    for (const int32_t code : sequences.codes) ++counts_[code];
    prepare_noise();
    vectors_ = {sequences.num_codes, options.size, {}};
    vectors_.values.resize(sequences.num_codes * options.size);
    contexts_.resize(vectors_.values.size());
    Random random(hash_key(options.seed, kStartKey));
    for (float& value : vectors_.values)
      value = static_cast<float>((random.uniform() - 0.5) / static_cast<double>(options.size));
  }

  DenseMatrix fit() {
    if (noise_codes_.size() < 2) return zeros();
    const auto all = static_cast<int64_t>(sequences_.codes.size());
    const int64_t wanted = std::min(options_.num_tokens, kMaxEpochs * all);
    Progress progress("code vectors", wanted, "codes");
    Random random(hash_key(options_.seed, kTrainKey));
    const auto num_sequences = static_cast<int64_t>(sequences_.offsets.size()) - 1;
    for (int64_t done = 0, s = 0; done < wanted; s = (s + 1) % num_sequences) {
      throw_if_stopped();
      const double share = static_cast<double>(done) / static_cast<double>(wanted);
      const double rate = options_.learning_rate * std::max(kLastRate, 1 - share);
      const int64_t length = sequences_.offsets[s + 1] - sequences_.offsets[s];
      pass(s, static_cast<float>(rate), random);
      done += std::max<int64_t>(length, 1);
      progress.advance(length);
    }
    clear_rare();
    return std::move(vectors_);
  }

 private:
  bool is_kept(int32_t code) const { return counts_[code] >= options_.min_count; }

  void prepare_noise() {
    double sum = 0;
    for (int32_t code = 0; code < sequences_.num_codes; ++code) {
      if (!is_kept(code)) continue;
      sum += std::pow(static_cast<double>(counts_[code]), kNoisePower);
      noise_codes_.push_back(code);
      noise_ends_.push_back(sum);
    }
  }
  int32_t draw_noise(Random& random) const {
    const double place = random.uniform() * noise_ends_.back();
    const auto end = std::ranges::upper_bound(noise_ends_, place);
    return noise_codes_[std::min<size_t>(end - noise_ends_.begin(), noise_codes_.size() - 1)];
  }
  // The chance that a code of this frequency stays, as word2vec has it.
  bool stays(int32_t code, Random& random) const {
    const double frequency = static_cast<double>(counts_[code]) /
                             (options_.subsampling * static_cast<double>(sequences_.codes.size()));
    return random.uniform() < (std::sqrt(frequency) + 1) / frequency;
  }

  void pass(int64_t sequence, float rate, Random& random) {
    kept_.clear();
    for (int64_t i = sequences_.offsets[sequence]; i < sequences_.offsets[sequence + 1]; ++i) {
      const int32_t code = sequences_.codes[i];
      if (is_kept(code) && stays(code, random)) kept_.push_back(code);
    }
    const auto length = static_cast<int64_t>(kept_.size());
    for (int64_t i = 0; i < length; ++i) {
      const int64_t reach = 1 + static_cast<int64_t>(random.below(options_.window));
      for (int64_t j = std::max<int64_t>(0, i - reach); j <= std::min(length - 1, i + reach); ++j) {
        if (j != i) learn_pair(kept_[i], kept_[j], rate, random);
      }
    }
  }

  void learn_pair(int32_t center, int32_t context, float rate, Random& random) {
    gradient_.assign(options_.size, 0);
    learn_one(center, context, 1, rate);
    for (int n = 0; n < options_.num_negatives; ++n) {
      const int32_t noise = draw_noise(random);
      if (noise != context) learn_one(center, noise, 0, rate);
    }
    float* own = vectors_.values.data() + center * options_.size;
    for (int64_t k = 0; k < options_.size; ++k) own[k] += gradient_[k];
  }
  void learn_one(int32_t center, int32_t other, float wanted, float rate) {
    const float* own = vectors_.values.data() + center * options_.size;
    float* context = contexts_.data() + other * options_.size;
    float product = 0;
    for (int64_t k = 0; k < options_.size; ++k) product += own[k] * context[k];
    const float step = rate * (wanted - 1 / (1 + std::exp(-product)));
    for (int64_t k = 0; k < options_.size; ++k) {
      gradient_[k] += step * context[k];
      context[k] += step * own[k];
    }
  }

  void clear_rare() {
    for (int32_t code = 0; code < sequences_.num_codes; ++code) {
      if (!is_kept(code))
        std::fill_n(vectors_.values.begin() + code * options_.size, options_.size, 0.0F);
    }
  }
  DenseMatrix zeros() {
    std::ranges::fill(vectors_.values, 0.0F);
    return std::move(vectors_);
  }

  const CodeSequences& sequences_;
  const CodeVectorsOptions& options_;
  std::vector<int64_t> counts_;
  std::vector<int32_t> noise_codes_;
  std::vector<double> noise_ends_;
  DenseMatrix vectors_;
  std::vector<float> contexts_, gradient_;
  std::vector<int32_t> kept_;
};

}  // namespace

void CodeVectorsOptions::validate() const {
  if (size < 1) throw ConfigError("size of vectors", str(size), "1 or more");
  if (window < 1) throw ConfigError("window", str(window), "1 or more");
  if (num_negatives < 1) throw ConfigError("negatives", str(num_negatives), "1 or more");
  if (!(subsampling > 0)) throw ConfigError("subsampling", str(subsampling), "above 0");
  if (!(learning_rate > 0)) throw ConfigError("learning rate", str(learning_rate), "above 0");
}

DenseMatrix fit_code_vectors(const CodeSequences& sequences, const CodeVectorsOptions& options) {
  options.validate();
  return SkipGram(sequences, options).fit();
}

}  // namespace sequela
