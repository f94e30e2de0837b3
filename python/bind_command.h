#pragma once

#include "python/bindings.h"

namespace sequela::python {

// The whole command, for the ranks of a launcher; in a header of its own, which alone sees the
// command.
void register_command(py::module_& module);

}  // namespace sequela::python
