#include "sequela/objective/motor/gain.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "sequela/ontology/build_ontology.h"

namespace sequela {
namespace {

constexpr size_t kMaxVocabularies = 16;

}  // namespace

GainYardstick::GainYardstick(const std::vector<std::string>& codes, const CellSums& train,
                             const CellSums& validation)
    : validation_(validation),
      constant_costs_(constant_costs(fit_constant_rates(train), validation)) {
  std::vector<int64_t> all(codes.size());
  std::iota(all.begin(), all.end(), 0);
  groups_.push_back({"eval/gain", "gain in nats per event", all});
  add_thirds(train);
  add_vocabularies(codes);
  std::erase_if(groups_, [&](const Group& group) { return events_of(group.tasks) == 0; });
}

void GainYardstick::add_thirds(const CellSums& train) {
  std::vector<int64_t> order(train.num_tasks());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return train.events_of(a) > train.events_of(b); });
  const size_t count = order.size();
  for (size_t third = 0; third < 3; ++third) {
    const char* name = std::array{"frequent", "middle", "rare"}[third];
    groups_.push_back(
        {std::string("eval/gain/") + name,
         name,
         {order.begin() + count * third / 3, order.begin() + count * (third + 1) / 3}});
  }
}

void GainYardstick::add_vocabularies(const std::vector<std::string>& codes) {
  std::map<std::string, std::vector<int64_t>> by_name;
  for (size_t i = 0; i < codes.size(); ++i)
    by_name[std::string(shown_vocabulary_of(codes[i]))].push_back(static_cast<int64_t>(i));
  std::vector<std::pair<std::string, std::vector<int64_t>>> found(by_name.begin(), by_name.end());
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    return events_of(a.second) > events_of(b.second);
  });
  Group other{"eval/gain/vocabulary/other", "", {}};
  for (size_t i = 0; i < found.size(); ++i) {
    if (i < kMaxVocabularies) {
      groups_.push_back({"eval/gain/vocabulary/" + found[i].first, "", found[i].second});
    } else {
      other.tasks.insert(other.tasks.end(), found[i].second.begin(), found[i].second.end());
    }
  }
  groups_.push_back(std::move(other));
}

int64_t GainYardstick::events_of(const std::vector<int64_t>& tasks) const {
  int64_t events = 0;
  for (int64_t task : tasks) events += validation_.events_of(task);
  return events;
}

void GainYardstick::start() {
  costs_.assign(constant_costs_.size(), 0.0);
}

void GainYardstick::add(const MotorBatch&, const at::Tensor& cost_C, const at::Tensor&) {
  const double* costs = cost_C.const_data_ptr<double>();
  for (size_t i = 0; i < costs_.size(); ++i) costs_[i] += costs[i];
}

Figures GainYardstick::finish() {
  Figures figures;
  for (const Group& group : groups_) {
    double gain = 0;
    for (int64_t task : group.tasks) gain += constant_costs_[task] - costs_[task];
    figures.push_back(
        {group.name, gain / static_cast<double>(events_of(group.tasks)), group.label});
  }
  const double cells =
      static_cast<double>(validation_.num_labels) * static_cast<double>(validation_.events.size());
  if (cells > 0) {
    figures.push_back({"eval/constant_loss",
                       std::accumulate(constant_costs_.begin(), constant_costs_.end(), 0.0) / cells,
                       ""});
  }
  return figures;
}

}  // namespace sequela
