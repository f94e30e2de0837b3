#include "sequela/objective/motor/cell_sums.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <span>

#include "sequela/core/error.h"
#include "sequela/core/parallel.h"
#include "sequela/io/safetensors.h"

namespace sequela {
namespace {

// To the nearest unit. (std::llround would be a call for each cell.)
int64_t units_in_bin(double seconds, double start, double end) {
  return static_cast<int64_t>(
      std::clamp(seconds - start, 0.0, end - start) * CellSums::kUnitsPerSecond + 0.5);
}

// The bin that seconds >= 0 lie in; the last one has no end.
int64_t bin_of(double seconds, const std::vector<double>& edges) {
  int64_t bin = 0;
  while (bin + 2 < static_cast<int64_t>(edges.size()) && seconds >= edges[bin + 1]) ++bin;
  return bin;
}

// Sums of the batches that one thread reads. The time at risk of a label's tasks is that of its
// censoring but for its entries: `for_all` holds the first, sums.at_risk the difference.
struct Part {
  CellSums sums;
  std::vector<int64_t> for_all;

  Part(int64_t num_bins, int64_t num_tasks) : for_all(num_bins) {
    sums.num_bins = num_bins;
    sums.events.resize(num_bins * num_tasks);
    sums.at_risk.resize(num_bins * num_tasks);
  }

  void add(const MotorTargets& targets, const std::vector<double>& edges) {
    const int64_t labels = targets.censor_seconds_L.size(0), bins = sums.num_bins;
    const float* censor = targets.censor_seconds_L.const_data_ptr<float>();
    const int32_t* offsets = targets.row_offsets_L1.const_data_ptr<int32_t>();
    const int32_t* tasks = targets.task_ids_Z.const_data_ptr<int32_t>();
    const float* seconds = targets.event_seconds_Z.const_data_ptr<float>();
    std::vector<int64_t> censored(bins);
    sums.num_labels += labels;
    for (int64_t l = 0; l < labels; ++l) {
      for (int64_t k = 0; k < bins; ++k) {
        censored[k] = units_in_bin(censor[l], edges[k], edges[k + 1]);
        for_all[k] += censored[k];
      }
      for (int32_t i = offsets[l]; i < offsets[l + 1]; ++i) {
        const int64_t first = tasks[i] * bins, event_bin = bin_of(seconds[i], edges);
        ++sums.events[first + event_bin];
        // Before the earlier of event and censoring both are at risk for the whole of a bin.
        int64_t k = bin_of(std::min(seconds[i], censor[l]), edges);
        for (; k < bins && (k <= event_bin || censored[k] > 0); ++k)
          sums.at_risk[first + k] += units_in_bin(seconds[i], edges[k], edges[k + 1]) - censored[k];
      }
    }
  }
};

std::span<const std::byte> bytes_of(const std::vector<int64_t>& values) {
  return std::as_bytes(std::span(values));
}

bool read_values(const SafetensorsFile& file, const char* name, std::vector<int64_t>& values) {
  const TensorView* found = file.find(name);
  if (found == nullptr || found->bytes.size() != values.size() * sizeof(int64_t)) return false;
  std::memcpy(values.data(), found->bytes.data(), found->bytes.size());
  return true;
}

bool read_sums(const std::string& path, const std::string& key, CellSums& sums) {
  if (!std::filesystem::exists(path)) return false;
  try {
    const SafetensorsFile file(path);
    const auto found = file.metadata().find("key");
    std::vector<int64_t> labels(1);
    if (found == file.metadata().end() || found->second != key ||
        !read_values(file, "labels", labels) || !read_values(file, "events", sums.events) ||
        !read_values(file, "at_risk", sums.at_risk)) {
      return false;
    }
    sums.num_labels = labels[0];
    return true;
  } catch (const FileError&) {
    return false;
  }
}

}  // namespace

int64_t CellSums::events_of(int64_t task) const {
  const auto first = events.begin() + task * num_bins;
  return std::accumulate(first, first + num_bins, int64_t{0});
}

CellSums sum_cells(const BatchFolder& batches, const std::vector<double>& bin_edges,
                   int64_t num_tasks, int num_threads) {
  const int64_t bins = static_cast<int64_t>(bin_edges.size()) - 1;
  std::vector<Part> parts(std::max(1, num_threads), Part(bins, num_tasks));
  parallel_for(batches.num_batches(), static_cast<int>(parts.size()), [&](int64_t i, int thread) {
    parts[thread].add(batches.read(i).targets, bin_edges);
  });
  CellSums all = std::move(parts[0].sums);
  for (size_t i = 0; i < parts.size(); ++i) {
    for (size_t cell = 0; cell < all.events.size(); ++cell) {
      all.at_risk[cell] += parts[i].for_all[cell % bins];
      if (i == 0) continue;
      all.at_risk[cell] += parts[i].sums.at_risk[cell];
      all.events[cell] += parts[i].sums.events[cell];
    }
    if (i > 0) all.num_labels += parts[i].sums.num_labels;
  }
  return all;
}

CellSums sum_cells_once(const std::string& path, const std::string& key, const BatchFolder& batches,
                        const std::vector<double>& bin_edges, int64_t num_tasks, int num_threads) {
  CellSums sums = Part(static_cast<int64_t>(bin_edges.size()) - 1, num_tasks).sums;
  if (read_sums(path, key, sums)) return sums;
  sums = sum_cells(batches, bin_edges, num_tasks, num_threads);
  const std::vector<int64_t> labels = {sums.num_labels};
  const std::vector<int64_t> shape = {num_tasks, sums.num_bins};
  write_safetensors(path,
                    {{"labels", DType::int64, {1}, bytes_of(labels)},
                     {"events", DType::int64, shape, bytes_of(sums.events)},
                     {"at_risk", DType::int64, shape, bytes_of(sums.at_risk)}},
                    {{"key", key}});
  return sums;
}

std::vector<double> fit_constant_rates(const CellSums& train) {
  // Events (at least half of one) and seconds at risk of a run of cells.
  const auto rate_of = [&](size_t first, size_t count, double otherwise) {
    int64_t events = 0, at_risk = 0;
    for (size_t i = first; i < first + count; ++i) {
      events += train.events[i];
      at_risk += train.at_risk[i];
    }
    if (at_risk <= 0) return otherwise;
    return std::max(0.5, static_cast<double>(events)) /
           (static_cast<double>(at_risk) / CellSums::kUnitsPerSecond);
  };
  const size_t bins = train.num_bins;
  const double overall = rate_of(0, train.events.size(), 1.0);
  std::vector<double> rates(train.events.size());
  for (size_t first = 0; first < rates.size(); first += bins) {
    const double of_task = rate_of(first, bins, overall);
    for (size_t i = first; i < first + bins; ++i) rates[i] = rate_of(i, 1, of_task);
  }
  return rates;
}

std::vector<double> constant_costs(const std::vector<double>& rates, const CellSums& cells) {
  std::vector<double> costs(cells.num_tasks());
  for (size_t i = 0; i < rates.size(); ++i) {
    const double seconds = static_cast<double>(cells.at_risk[i]) / CellSums::kUnitsPerSecond;
    costs[i / cells.num_bins] +=
        rates[i] * seconds - static_cast<double>(cells.events[i]) * std::log(rates[i]);
  }
  return costs;
}

}  // namespace sequela
