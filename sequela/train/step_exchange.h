#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/distributed/world.h"
#include "sequela/train/yardstick.h"

namespace sequela {

// What a rank tells the others of its part of a step.
struct StepPart {
  std::vector<double> losses;    // of its batches, in the order of its lanes
  std::vector<int64_t> batches;  // their numbers
  int64_t num_events = 0;
  int64_t num_tokens = 0;
  double seconds = 0;       // that it took
  bool is_stopped = false;  // it was broken off: by a stop signal, or for lack of memory
};

// The parts of all ranks, by rank. `most_batches`: of any rank, the same on all of them.
std::vector<StepPart> exchange_parts(World& world, const StepPart& own, int64_t most_batches);

// The first rank's number.
double number_of_first(World& world, const char* what, double own);

// The first rank's figures.
Figures figures_of_first(World& world, const Figures& own);

// Who made the others wait, of the seconds that ranks took for their parts of some steps: "rank 3
// takes 2.1 s a step, the median is 1.2 s"; empty if none is half as slow again as the median.
std::string slow_ranks(const std::vector<double>& seconds_R, int64_t num_steps);

}  // namespace sequela
