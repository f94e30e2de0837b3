#pragma once

#include <string>

namespace sequela {

// Which way a metric is better.
enum class Better : uint8_t { higher, lower, neither };

// "auroc" -> "AUROC"; a name that is not known stays as it is.
std::string metric_title(const std::string& metric);
Better better_of(const std::string& metric);

}  // namespace sequela
