#pragma once

#include <functional>
#include <optional>

#include "python/bindings.h"

namespace sequela::python {

// Runs `work` on a thread of its own while the calling thread waits without the GIL. Between waits
// the caller
//   - passes messages on: reporter.log(level, message) and reporter.progress(label, unit, done,
//     total, seconds, is_finished); None = nobody listens;
//   - lets Python handle signals. An exception of a handler (KeyboardInterrupt) or of the reporter
//     asks the work to stop, and is raised once it has stopped in order.
// Rethrows what `work` throws. torch's number of threads is the same afterwards. Each call is a run
// of its own (core/run_context.h): calls of several threads run beside each other.
void run_job(const py::object& reporter, const std::function<void()>& work);

// The same for work with a result.
template <class Work>
auto run_job_for(const py::object& reporter, Work work) {
  std::optional<decltype(work())> result;
  run_job(reporter, [&] { result.emplace(work()); });
  return std::move(*result);
}

}  // namespace sequela::python
