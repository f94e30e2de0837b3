#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace sequela {

// The most memory, in KiB, that was resident since the process began or forget_peak_memory().
inline int64_t peak_memory_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  return -1;
}

// From here on the peak is counted anew. Returns what is resident now, in KiB.
inline int64_t forget_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak_memory_kib();
}

}  // namespace sequela
