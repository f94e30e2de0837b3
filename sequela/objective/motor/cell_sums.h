#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/batch/folder.h"

namespace sequela {

// What the labels of a folder of batches hold of each task c and time bin k, at [c * bins + k].
// Integers, so that the sums are exact for any number of threads.
struct CellSums {
  static constexpr double kUnitsPerSecond = 64;

  int64_t num_bins = 0;
  int64_t num_labels = 0;
  std::vector<int64_t> events;
  std::vector<int64_t> at_risk;  // seconds at risk, in 1/64 s

  int64_t num_tasks() const { return static_cast<int64_t>(events.size()) / num_bins; }
  int64_t events_of(int64_t task) const;
};

// bin_edges: bins + 1, in seconds. A batch costs about its decoding.
CellSums sum_cells(const BatchFolder& batches, const std::vector<double>& bin_edges,
                   int64_t num_tasks, int num_threads);

// The same, kept in a file under `key`; one with another key, or damaged, is made anew.
CellSums sum_cells_once(const std::string& path, const std::string& key, const BatchFolder& batches,
                        const std::vector<double>& bin_edges, int64_t num_tasks, int num_threads);

// The best constant rate of each cell, events per second, as likelihood has it: events / seconds at
// risk. A cell without an event counts half of one, one without time at risk has its task's rate
// over all bins, and a task without any that of all tasks.
std::vector<double> fit_constant_rates(const CellSums& train);

// Each task's cost (time_to_event.h) under constant rates, in nats.
std::vector<double> constant_costs(const std::vector<double>& rates, const CellSums& cells);

}  // namespace sequela
