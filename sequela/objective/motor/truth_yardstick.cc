#include "sequela/objective/motor/truth_yardstick.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/parallel.h"
#include "sequela/objective/motor/cell_sums.h"

namespace sequela {
namespace {

constexpr double kSecondsPerDay = 86'400;

// The sequence that each label's token is in, as subject ids.
std::vector<int64_t> subjects_of_labels(const BatchInputs& inputs) {
  const int32_t* lengths = inputs.lengths_S.const_data_ptr<int32_t>();
  const int64_t* subjects = inputs.subject_ids_S.const_data_ptr<int64_t>();
  const int32_t* tokens = inputs.label_indices_L.const_data_ptr<int32_t>();
  std::vector<int64_t> found;
  int64_t sequence = 0, end = lengths[0];
  for (int64_t l = 0; l < inputs.label_indices_L.size(0); ++l) {
    while (tokens[l] >= end) end += lengths[++sequence];
    found.push_back(subjects[sequence]);
  }
  return found;
}

}  // namespace

TruthYardstick::TruthYardstick(const std::string& truth_folder,
                               const std::vector<std::string>& codes,
                               const std::vector<double>& bin_edges,
                               const BatchFolder& train_batches, int num_threads)
    : truth_(OutbreakTruth::read(truth_folder)),
      bin_edges_(bin_edges),
      place_of_(codes.size(), -1) {
  std::vector<int64_t> tasks;
  for (int d = 0; d < kNumDiseases; ++d) {
    const auto disease = static_cast<DiseaseId>(d);
    const auto found = std::find(codes.begin(), codes.end(), code_of_disease(disease));
    if (found == codes.end()) continue;
    place_of_[found - codes.begin()] = static_cast<int32_t>(tasks.size());
    tasks.push_back(found - codes.begin());
    diseases_.push_back(disease);
  }
  if (tasks.empty()) {
    throw ConfigError(str(truth_folder,
                          ": no planted disease is among the tasks. Fix: leave --truth out, or "
                          "prepare more tasks."));
  }
  tasks_S_ = at::tensor(tasks, at::kLong);
  fit_constants(train_batches, num_threads);
}

std::vector<TruthYardstick::Cell> TruthYardstick::cells_of(const MotorBatch& batch) const {
  const int32_t* offsets = batch.targets.row_offsets_L1.const_data_ptr<int32_t>();
  const int32_t* tokens = batch.inputs.label_indices_L.const_data_ptr<int32_t>();
  const int64_t* timestamps = batch.inputs.timestamps_T.const_data_ptr<int64_t>();
  std::vector<Cell> cells;
  if (batch.inputs.label_indices_L.size(0) == 0) return cells;
  const std::vector<int64_t> subjects = subjects_of_labels(batch.inputs);
  std::vector<double> event_seconds(diseases_.size());
  for (size_t l = 0; l < subjects.size(); ++l) {
    std::fill(event_seconds.begin(), event_seconds.end(), -1);
    for (int32_t i = offsets[l]; i < offsets[l + 1]; ++i) {
      const int32_t place = place_of_[batch.targets.task_ids_Z.const_data_ptr<int32_t>()[i]];
      if (place >= 0)
        event_seconds[place] = batch.targets.event_seconds_Z.const_data_ptr<float>()[i];
    }
    const double day = static_cast<double>(timestamps[tokens[l]]) / kSecondsPerDay;
    for (size_t place = 0; place < diseases_.size(); ++place) {
      const auto outlook = truth_.outlook(subjects[l], day, diseases_[place]);
      if (!outlook) continue;
      const bool is_event = event_seconds[place] >= 0;
      cells.push_back({static_cast<int64_t>(l), static_cast<int64_t>(place), *outlook,
                       is_event ? event_seconds[place]
                                : batch.targets.censor_seconds_L.const_data_ptr<float>()[l],
                       is_event});
    }
  }
  return cells;
}

double TruthYardstick::seconds_in(double seconds, size_t bin) const {
  return std::clamp(seconds - bin_edges_[bin], 0.0, bin_edges_[bin + 1] - bin_edges_[bin]);
}

void TruthYardstick::fit_constants(const BatchFolder& train_batches, int num_threads) {
  const size_t bins = bin_edges_.size() - 1;
  CellSums empty;
  empty.num_bins = static_cast<int64_t>(bins);
  empty.events.resize(diseases_.size() * bins);
  empty.at_risk = empty.events;
  std::vector<CellSums> parts(std::max(1, num_threads), empty);
  parallel_for(
      train_batches.num_batches(), static_cast<int>(parts.size()), [&](int64_t i, int thread) {
        for (const Cell& cell : cells_of(train_batches.read(i))) {
          for (size_t k = 0; k < bins; ++k) {
            const size_t at = cell.place * bins + k;
            parts[thread].at_risk[at] +=
                std::llround(seconds_in(cell.seconds, k) * CellSums::kUnitsPerSecond);
            parts[thread].events[at] +=
                cell.is_event && bin_edges_[k] <= cell.seconds && cell.seconds < bin_edges_[k + 1];
          }
        }
      });
  for (size_t i = 1; i < parts.size(); ++i) {
    for (size_t at = 0; at < empty.events.size(); ++at) {
      parts[0].events[at] += parts[i].events[at];
      parts[0].at_risk[at] += parts[i].at_risk[at];
    }
  }
  constant_rates_ = fit_constant_rates(parts[0]);
}

void TruthYardstick::add(const MotorBatch& batch, const at::Tensor&,
                         const at::Tensor& log2_rates_LKS) {
  const size_t bins = bin_edges_.size() - 1;
  const auto log2_rate = log2_rates_LKS.accessor<float, 3>();
  for (const Cell& cell : cells_of(batch)) {
    const double days = cell.seconds / kSecondsPerDay;
    sums_.truth += cell.outlook.cumulative_hazard(days);
    if (cell.is_event)
      sums_.truth -= cell.outlook.log_hazard(days) - std::log(kSecondsPerDay);  // per second
    sums_.events += cell.is_event;
    for (size_t k = 0; k < bins && bin_edges_[k] <= cell.seconds; ++k) {
      const double log_rate = M_LN2 * log2_rate[cell.label][static_cast<int64_t>(k)][cell.place];
      const double constant = constant_rates_[cell.place * bins + k];
      const double seconds = seconds_in(cell.seconds, k);
      sums_.model += std::exp(log_rate) * seconds;
      sums_.constant += constant * seconds;
      if (!cell.is_event || cell.seconds >= bin_edges_[k + 1]) continue;
      sums_.model -= log_rate;
      sums_.constant -= std::log(constant);
    }
  }
}

Figures TruthYardstick::finish() {
  const double events = static_cast<double>(sums_.events);
  const double truth = (sums_.constant - sums_.truth) / events;
  const double model = (sums_.constant - sums_.model) / events;
  return {{"eval/truth/gain", truth, ""},
          {"eval/truth/model_gain", model, ""},
          {"eval/truth/share", model / truth, "share of the truth's gain"}};
}

}  // namespace sequela
