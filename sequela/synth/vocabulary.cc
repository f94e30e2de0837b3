#include "sequela/synth/vocabulary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/synth/vocabulary_builder.h"

namespace sequela {

CodePool::CodePool(std::vector<int32_t> codes, uint64_t key) : codes_(std::move(codes)) {
  std::vector<std::pair<uint64_t, int32_t>> order;
  for (const int32_t code : codes_) order.emplace_back(hash_key(key, code), code);
  std::sort(order.begin(), order.end());
  double total = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    codes_[rank] = order[rank].second;
    total += std::pow(static_cast<double>(rank) + 3, -1.05);
    cumulative_.push_back(total);
  }
}

int32_t CodePool::draw(Random& random) const {
  const double target = random.uniform() * cumulative_.back();
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, target);
  return codes_[found - cumulative_.begin()];
}

SynthVocabulary build_vocabulary(Flares flares) {
  SynthVocabulary vocabulary;
  VocabularyBuilder builder(vocabulary);
  builder.add_people_and_visits();
  builder.add_findings();
  builder.add_drugs();
  builder.add_measurements();
  builder.add_procedures();
  builder.add_local_codes();
  builder.fill_diseases();
  builder.add_flare(flares);
  return vocabulary;
}

}  // namespace sequela
