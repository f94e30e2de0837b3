#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sequela {

// A path inside the folder of reference data that lies beside the checkout (or where SEQUELA_SHARED
// says).
inline std::string shared_path(const std::string& relative) {
  const char* folder = std::getenv("SEQUELA_SHARED");
  const std::string root = folder != nullptr ? folder : SEQUELA_SOURCE_DIR "/../shared";
  return root + "/" + relative;
}

}  // namespace sequela

#define SEQUELA_NEED_SHARED()                                                                 \
  if (!std::filesystem::exists(::sequela::shared_path("design.md")))                          \
  GTEST_SKIP() << "the reference data is not there: put it beside the checkout as ../shared " \
                  "or name its folder in SEQUELA_SHARED"
