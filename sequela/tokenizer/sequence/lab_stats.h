#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sequela {

// Mean and spread of a concept's values in one unit (cehrbert_lab_stats.json).
struct LabStats {
  std::string concept_id;
  std::string unit;  // "N/A" = none
  double mean = 0;
  double std = 0;
  double outlier_std = 3;  // normalised values are clipped to +- this
  int64_t count = 0;

  // (value - mean) / std, clipped; 0 if there is no spread.
  double normalise(double value) const;
};

std::vector<LabStats> read_lab_stats(const std::string& path);  // FileError
void write_lab_stats(const std::string& path, const std::vector<LabStats>& stats);

}  // namespace sequela
