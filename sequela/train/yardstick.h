#pragma once

#include <string>
#include <vector>

namespace sequela {

// A number that a run reports.
struct Figure {
  std::string name;   // TensorBoard tag and key in metrics.json, "eval/gain"
  double value = 0;   // NaN = not defined
  std::string label;  // what the log's line calls it; empty = it is not in the line
};
using Figures = std::vector<Figure>;

// Something that is measured at each evaluation, beside the validation loss. It changes neither the
// model nor anything that the run depends on. measure() may throw Interrupted at a stop signal: the
// evaluation is then done again when the run goes on.
class Yardstick {
 public:
  virtual ~Yardstick() = default;
  virtual Figures measure() = 0;
};

// What a run watches, and what picks its best checkpoint.
struct TrainMonitor {
  std::vector<Yardstick*> yardsticks;
  // Name of the figure whose highest value is the best; empty = the lowest validation loss is.
  std::string selected;
};

}  // namespace sequela
