#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/nn/parameters.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/yardstick.h"

namespace sequela {

// A part of a parameter that is of one kind: `length` rows (dimension 0) or columns (1) from
// `start`.
struct ParameterPart {
  std::string kind;      // "attention"
  size_t parameter = 0;  // in Parameters::items
  int64_t dimension = 0;
  int64_t start = 0;
  int64_t length = 0;
};

// How a step treated the parameters of one kind.
struct KindHealth {
  std::string kind;
  double gradient_norm = 0;  // before clipping
  double update_ratio = 0;   // norm of the step / norm of the weights after it
  double starved = 0;        // share of entries whose root second moment, bias-corrected, is below
                             // epsilon
};

// Gradient norms by kind, in the order in which kinds first come; `divisor` as in AdamW::step.
std::vector<KindHealth> gradient_norms(const Parameters& parameters,
                                       const std::vector<ParameterPart>& parts, double divisor);

// Fills in the rest, after the step.
void measure_step(const AdamW& optimizer, const Parameters& parameters,
                  const std::vector<ParameterPart>& parts, std::vector<KindHealth>& health);

// "health/<kind>/gradient_norm", .../update_ratio and .../starved.
Figures to_figures(const std::vector<KindHealth>& health);

// The warning about kinds of which more than a tenth is starved; empty if there is none.
std::string starvation_warning(const std::vector<KindHealth>& health, double epsilon);

}  // namespace sequela
