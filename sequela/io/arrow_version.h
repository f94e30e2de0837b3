#pragma once

#include <string>

namespace sequela {

// "26.0.0", of the Arrow library that is loaded.
std::string arrow_version();

}  // namespace sequela
