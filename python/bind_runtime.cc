#include "python/bindings.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/parallel.h"

namespace sequela::python {

void register_runtime(py::module_& module) {
  module.def("request_stop", &request_stop, py::arg("signal"));
  module.def("default_num_threads", &default_num_threads);
}

}  // namespace sequela::python
