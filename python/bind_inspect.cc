#include "python/run_job.h"
#include "sequela/pipeline/inspect.h"

namespace sequela::python {

void register_inspect(py::module_& module) {
  module.def("inspect", [](const std::string& path) {
    return run_job_for(py::none(), [&] { return inspect(path); });
  });
}

}  // namespace sequela::python
