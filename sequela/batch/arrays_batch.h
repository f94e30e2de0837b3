#pragma once

#include <map>
#include <string>

#include "sequela/nn/inputs.h"

namespace sequela {

// A batch of an objective other than MOTOR: its arrays by name, int32 [L].
struct ArraysBatch {
  BatchInputs inputs;
  std::map<std::string, at::Tensor> targets;
};

}  // namespace sequela
