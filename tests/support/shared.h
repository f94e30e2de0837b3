#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sequela {

// A path inside the folder of third parties' records that may lie beside the checkout (or where
// SEQUELA_SHARED says).
inline std::string shared_path(const std::string& relative) {
  const char* folder = std::getenv("SEQUELA_SHARED");
  const std::string root = folder != nullptr ? folder : SEQUELA_SOURCE_DIR "/../shared";
  return root + "/" + relative;
}

}  // namespace sequela

// Skips a test that needs records which do not go with the repository.
#define SEQUELA_NEED_SHARED()                                                               \
  if (!std::filesystem::exists(::sequela::shared_path("design.md")))                        \
  GTEST_SKIP()                                                                              \
      << "needs third parties' records: put them beside the checkout as ../shared or name " \
         "their folder in SEQUELA_SHARED"
