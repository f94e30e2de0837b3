#pragma once

#include <cstdint>
#include <string>

namespace sequela {

// "12,345".
std::string with_thousands(int64_t value);

}  // namespace sequela
