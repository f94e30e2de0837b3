#include "sequela/pipeline/balanced_labels.h"

#include <algorithm>

#include "sequela/core/random.h"

namespace sequela {
namespace {

constexpr uint64_t kBalanceKey = 0xB0;

}  // namespace

bool is_positive(const Label& label) {
  return label.value > 0;
}

std::vector<Label> take_balanced_labels(std::vector<Label> labels, size_t count) {
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) {
    return hash_key(kBalanceKey, a.subject_id, a.prediction_time_us) <
           hash_key(kBalanceKey, b.subject_id, b.prediction_time_us);
  });
  const auto middle = std::stable_partition(labels.begin(), labels.end(), is_positive);
  const size_t num_positive = middle - labels.begin();
  const size_t num_negative = labels.end() - middle;
  const size_t positives =
      std::min(num_positive, std::max(count / 2, count - std::min(count, num_negative)));
  const size_t negatives = std::min(num_negative, count - positives);
  std::vector<Label> taken(labels.begin(), labels.begin() + positives);
  taken.insert(taken.end(), middle, middle + negatives);
  return taken;
}

}  // namespace sequela
