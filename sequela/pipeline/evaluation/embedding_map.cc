#include "sequela/pipeline/evaluation/embedding_map.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sequela/core/random.h"
#include "sequela/evaluation/principal_components.h"
#include "sequela/pipeline/evaluation/label_features.h"

namespace sequela {
namespace {

constexpr size_t kMaxMappedLabels = 2'000;

// Known test rows, drawn by a hash of the label.
std::vector<int64_t> mapped_rows(const LabelTask& task, const DenseFeatures& features,
                                 uint64_t seed) {
  std::vector<int64_t> rows;
  for (const int64_t row : task.test) {
    if (features.is_known[task.places[row]] != 0) rows.push_back(row);
  }
  std::ranges::sort(rows, {}, [&](int64_t row) {
    const Label& label = task.labels[row];
    return hash_key(seed, label.subject_id, label.prediction_time_us);
  });
  if (rows.size() > kMaxMappedLabels) rows.resize(kMaxMappedLabels);
  return rows;
}

}  // namespace

Json embedding_map(const LabelTask& task, const std::vector<std::unique_ptr<Method>>& methods,
                   uint64_t seed) {
  const auto shown =
      std::ranges::find_if(methods, [](const auto& method) { return method->is_pretrained(); });
  if (shown == methods.end()) return {};
  const DenseFeatures& features = *(*shown)->embeddings();
  const std::vector<int64_t> rows = mapped_rows(task, features, seed);
  const PlanarMap map = find_planar_map(select_rows(features.matrix, values_at(task.places, rows)));
  Json points = Json::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    points.push_back({{"x", map.x[i]}, {"y", map.y[i]}, {"outcome", task.outcomes[rows[i]] != 0}});
  }
  return {{"method", (*shown)->name()}, {"explained", map.explained}, {"points", points}};
}

}  // namespace sequela
