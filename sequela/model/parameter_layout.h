#pragma once

#include <cstdint>
#include <vector>

#include "sequela/model/encoder_config.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// What the names of a MOTOR head's parameters begin with, in femr too.
inline constexpr const char* kMotorHeadPrefix = "task_model.";

// How a fresh parameter is drawn.
enum class Init {
  zeros,
  ones,
  normal,      // standard deviation `scale`
  uniform,     // in [-scale, scale]
  log2_rates,  // log2 of the tasks' rates
  recurrence,  // RG-LRU's a_param: radius of a uniform in [0.9, 0.999] by area, through softplus's
               // inverse
};

struct ParameterSpec {
  ParameterShape shape;
  Init init = Init::zeros;
  double scale = 0;
};

// Every parameter of a model by femr's names, with shape and initial distribution as in femr 0.2.4
// and torch_hawk 0.0.8. Weights that share an input follow each other, so that [ff | q | k | v]
// (attention; one matrix in femr too) and [ff | x | y] (hawk) are one matrix product each.
std::vector<ParameterSpec> parameter_layout(const ModelConfig& config);

// Parameters of the layout, all 0.
Parameters allocate_parameters(const std::vector<ParameterSpec>& layout, at::Device device);

// Fresh values from `seed` alone: each parameter has its own stream, keyed by its name.
void initialize_parameters(const ModelConfig& config, uint64_t seed, Parameters& parameters);

}  // namespace sequela
