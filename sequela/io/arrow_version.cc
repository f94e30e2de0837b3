#include "sequela/io/arrow_version.h"

#include <arrow/config.h>

namespace sequela {

std::string arrow_version() {
  return arrow::GetBuildInfo().version_string;
}

}  // namespace sequela
