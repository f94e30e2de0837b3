#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/nn/parameters.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/yardstick.h"

namespace sequela {

// How a step treated the parameters of one kind.
struct KindHealth {
  std::string kind;
  double gradient_norm = 0;  // before clipping
  double update_ratio = 0;   // norm of the step / norm of the weights after it
  double starved = 0;        // share of entries whose root second moment, bias-corrected, is below
                             // epsilon; 0 where all are Muon's
};

// Gradient norms by kind, in the order in which kinds first come; `divisor` as in Optimizer::step.
std::vector<KindHealth> gradient_norms(const Parameters& parameters,
                                       const std::vector<ParameterPart>& parts, double divisor);

// Fills in the rest, after the step, while the gradients are still there.
void measure_step(const Optimizer& optimizer, const Parameters& parameters,
                  const std::vector<ParameterPart>& parts, std::vector<KindHealth>& health);

// "health/<kind>/gradient_norm", .../update_ratio and .../starved.
Figures to_figures(const std::vector<KindHealth>& health);

// The warning about kinds of which more than a tenth is starved; empty if there is none.
std::string starvation_warning(const std::vector<KindHealth>& health, double epsilon);

}  // namespace sequela
