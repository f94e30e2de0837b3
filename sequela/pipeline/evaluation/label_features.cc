#include "sequela/pipeline/evaluation/label_features.h"

#include <array>

#include "sequela/core/time.h"
#include "sequela/evaluation/baseline.h"
#include "sequela/pipeline/evaluation/person_reader.h"

namespace sequela {
namespace {

constexpr std::array<double, 3> kCountedDays = {30, 365, 1e9};
constexpr double kDaysOfStaticEvent = 1e8;  // before the label: in the last period alone

// Ids of the nodes that a history's events count for, once for each period that they are in.
class CountedNodes {
 public:
  explicit CountedNodes(const EvaluationRecords& records)
      : ontology_(records.ontology()), node_of_(ontology_.nodes_of(records.store().codes())) {}

  int32_t size() const { return ontology_.num_nodes() * static_cast<int32_t>(kCountedDays.size()); }
  const std::vector<int32_t>& of(const Subject& history, int64_t time_us) {
    ids_.clear();
    for (int64_t i = 0; i < history.num_events; ++i) {
      const double days = history.time_us(i) == kNoTime
                              ? kDaysOfStaticEvent
                              : static_cast<double>(time_us - history.time_us(i)) / kMicrosPerDay;
      for (const int32_t node : ontology_.all_parents(node_of_[history.code(i)])) {
        for (size_t p = 0; p < kCountedDays.size(); ++p) {
          if (days > kCountedDays[p]) continue;
          ids_.push_back(node + static_cast<int32_t>(p) * ontology_.num_nodes());
        }
      }
    }
    return ids_;
  }

 private:
  const Ontology& ontology_;
  const std::vector<int32_t> node_of_;
  std::vector<int32_t> ids_;
};

}  // namespace

DenseFeatures age_and_sex_features(const EvaluationRecords& records,
                                   std::span<const Label> labels) {
  const PersonReader reader(records.store());
  std::vector<AgeAndSex> people;
  DenseFeatures features;
  for (const Label& label : labels) {
    const std::optional<Subject> history = records.history(label);
    features.is_known.push_back(history && history->birth_us != kNoTime);
    people.push_back(history ? reader.at(*history, label.prediction_time_us) : AgeAndSex{});
  }
  features.matrix = build_age_and_sex_features(people);
  return features;
}

SparseMatrix count_features(const EvaluationRecords& records, std::span<const Label> labels) {
  const PersonReader reader(records.store());
  CountedNodes nodes(records);
  CountFeatures counts(nodes.size());
  for (const Label& label : labels) {
    const Subject history = records.history(label).value_or(Subject{});
    const AgeAndSex person = reader.at(history, label.prediction_time_us);
    const std::array<float, 2> extra = {static_cast<float>(person.age_days / kDaysPerYear),
                                        person.sex == AgeAndSex::Sex::female ? 1.0F : 0.0F};
    counts.add_row(nodes.of(history, label.prediction_time_us), extra);
  }
  return counts.build();
}

}  // namespace sequela
