#pragma once

#include <atomic>

namespace sequela {

// The signal that asked the whole process for a stop (interrupt.h), 0 = none. Of one run: see
// run_context.h.
std::atomic<int>& process_signal();

}  // namespace sequela
