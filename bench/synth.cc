// Generates a data set and prints events/s, bytes/s and peak memory: bench_synth [subjects]
// [threads].
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "sequela/core/parallel.h"
#include "sequela/synth/synth.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  sequela::SynthOptions options;
  options.num_subjects = argc > 1 ? std::atoll(argv[1]) : 20'000;
  options.num_threads = argc > 2 ? std::atoi(argv[2]) : sequela::default_num_threads();
  options.folder = fs::temp_directory_path() / "sequela_bench_synth";

  const auto start = std::chrono::steady_clock::now();
  const sequela::SynthReport report = sequela::synth(options);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(options.folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "synth: %lld subjects, %lld events, %d threads: %.2f s, %.3g events/s, %.3g bytes/s, %.1f "
      "MB, "
      "peak %.0f MiB\n",
      static_cast<long long>(report.num_subjects), static_cast<long long>(report.num_events),
      options.num_threads, seconds, report.num_events / seconds, bytes / seconds, bytes / 1e6,
      usage.ru_maxrss / 1024.0);
  for (size_t i = 0; i < report.tasks.size(); ++i) {
    std::printf("  %s: %lld labels, %lld positive\n",
                sequela::task_name(static_cast<sequela::SynthTask>(i)),
                static_cast<long long>(report.tasks[i].num_labels),
                static_cast<long long>(report.tasks[i].num_positive));
  }
  if (argc < 4) fs::remove_all(options.folder);
}
