#pragma once

#include <cstdint>
#include <functional>

namespace sequela {

// Number of hardware threads that this process may use, at least 1.
int default_num_threads();

// Calls body(i, thread) once for each i in [0, count), in ascending order of start, on up to
// `num_threads` threads; `thread` is in [0, num_threads). The first exception stops the handing out
// of work and is rethrown here. Results must not depend on which thread did what.
void parallel_for(int64_t count, int num_threads,
                  const std::function<void(int64_t index, int thread)>& body);

}  // namespace sequela
