#include <cstdlib>

#include "python/bindings.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/parallel.h"
#include "sequela/run/fingerprints.h"

namespace sequela::python {

void register_runtime(py::module_& module) {
  module.def("request_stop", &request_stop, py::arg("signal"));
  module.def("default_num_threads", &default_num_threads);
  module.def("fingerprint_cache_folder", [] {
    return fingerprint_cache_folder([](const char* name) { return std::getenv(name); });
  });
}

}  // namespace sequela::python
