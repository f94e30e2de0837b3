#include "sequela/core/random.h"

#include <cmath>
#include <numbers>

namespace sequela {

double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

double Random::exponential() {
  return -std::log(1 - uniform());
}

}  // namespace sequela
