// The whole of prepare on a data set, stage by stage, beside a bare Arrow scan of the same columns.
//
//   bench_prepare MEDS OUT [ATHENA] [THREADS]
//
// OUT is emptied first. Warm the file cache by running twice.

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "sequela/core/error.h"
#include "sequela/core/parallel.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/pipeline/prepare.h"

namespace {

using namespace sequela;

// Rows a second of decoding subject_id, time, code and numeric_value and nothing else.
double scan_rate(const std::string& meds, int num_threads) {
  const Dataset dataset = find_dataset(meds);
  if (dataset.shards.empty()) return 0;
  const auto start = std::chrono::steady_clock::now();
  std::atomic<int64_t> num_rows{0};
  parallel_for(static_cast<int64_t>(dataset.shards.size()), num_threads, [&](int64_t i, int) {
    ParquetReader reader(dataset.shards[i]);
    std::vector<int> columns;
    for (const char* name : {"subject_id", "time", "code", "numeric_value"}) {
      if (const auto column = reader.find_column(name)) columns.push_back(*column);
    }
    reader.read(columns, [&](const RowBatch& batch) { num_rows += batch.num_rows; });
  });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return static_cast<double>(num_rows) / seconds.count();
}

// "RssAnon:    123456 kB" of this process, in MiB; what cannot be dropped from memory.
double private_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(8)) / 1024;
  }
  return 0;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "bench_prepare MEDS OUT [ATHENA or -] [THREADS]\n");
    return 2;
  }
  PrepareOptions options;
  options.meds = argv[1];
  options.out = argv[2];
  if (argc > 3 && std::string(argv[3]) != "-") options.athena = argv[3];
  options.num_threads = argc > 4 ? std::atoi(argv[4]) : default_num_threads();
  std::filesystem::remove_all(options.out);
  try {
    const double rows = scan_rate(options.meds, options.num_threads);
    const double cpu = cpu_seconds();
    const PrepareReport report = prepare(options);
    std::printf("%d threads; bare scan of four columns: %.1f M rows/s\n", options.num_threads,
                rows / 1e6);
    int64_t num_events = 0;
    for (const PrepareStage& stage : report.stages) {
      if (stage.name == "events") num_events = stage.num_events;
      std::printf("%-28s %8.3f s %8.2f M events/s\n", stage.name.c_str(), stage.seconds,
                  static_cast<double>(stage.num_events) / stage.seconds / 1e6);
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("%-28s %8.3f s %8.2f M events/s, %.3f us CPU an event\n", "all", report.seconds,
                static_cast<double>(num_events) / report.seconds / 1e6,
                1e6 * (cpu_seconds() - cpu) / static_cast<double>(num_events));
    std::printf("peak RSS %.0f MiB (mapped files included), private at the end %.0f MiB\n",
                static_cast<double>(usage.ru_maxrss) / 1024, private_mib());
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
