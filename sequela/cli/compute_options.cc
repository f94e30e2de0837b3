#include "sequela/cli/compute_options.h"

#include <cstdlib>

namespace sequela {

void add_device_option(CLI::App& app, std::string& device) {
  app.add_option("--device", device, "Also cuda:N, the N-th from 0; `sequela doctor` shows them")
      ->type_name("auto|cpu|cuda");
}

void add_kernels_option(CLI::App& app, std::string& kernels) {
  app.add_option(
         "--kernels", kernels,
         "plain = torch's own operations, slow, to compare with; own = none of them; auto = "
         "own ones, where the device has them and they pass their check")
      ->type_name("auto|plain|own");
}

std::string kernel_cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return std::string(cache) + "/sequela";
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.cache/sequela";
}

}  // namespace sequela
