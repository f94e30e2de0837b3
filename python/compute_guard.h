#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "python/bindings.h"

namespace sequela::python {

// The core chooses the types of its products itself; torch.autocast would mix them up.
struct NoAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

// Of calls that compute with tensors.
using ComputeGuard = py::call_guard<py::gil_scoped_release, NoAutocast>;

}  // namespace sequela::python
