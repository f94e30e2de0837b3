// The ingest of a MEDS data set beside a bare scan of the same columns.
// usage: bench_ingest MEDS_FOLDER [THREADS]
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "sequela/core/parallel.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/ingest.h"

namespace sequela {
namespace {

double cpu_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
         1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// Private memory in use, as the kernel counts it; the pages of mapped files are not in it.
double private_mib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  double kib = 0;
  while (status >> word && word != "RssAnon:") {
  }
  status >> kib;
  return kib / 1024;
}

void report(const char* name, int threads, const std::function<int64_t()>& body) {
  const double cpu_start = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  const int64_t events = body();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double cpu = cpu_seconds() - cpu_start;
  std::printf(
      "%-22s %d threads  %7.2f s  %7.2f CPU-s  %6.2f M events/s  %6.2f M/s/core  %5.0f MiB\n", name,
      threads, seconds, cpu, events / seconds / 1e6, events / cpu / 1e6, private_mib());
}

// Decodes the four columns of MEDS and touches each value once.
int64_t scan(const Dataset& dataset, int threads) {
  std::vector<int64_t> rows(dataset.shards.size()), sums(dataset.shards.size());
  parallel_for(dataset.shards.size(), threads, [&](int64_t s, int) {
    ParquetReader reader(dataset.shards[s]);
    std::vector<int> columns;
    for (const char* name : {"subject_id", "time", "code", "numeric_value"}) {
      if (const auto column = reader.find_column(name)) columns.push_back(*column);
    }
    reader.read(columns, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        sums[s] +=
            batch.columns[0].int64s[i] ^ batch.columns[1].int64s[i] ^ batch.columns[2].indices[i];
      }
      rows[s] += batch.num_rows;
    });
  });
  int64_t total = 0, sum = 0;
  for (size_t s = 0; s < rows.size(); ++s) {
    total += rows[s];
    sum += sums[s];
  }
  if (sum == 1) std::printf(" ");  // keeps the scan from being removed
  return total;
}

int64_t read_store(const std::string& folder) {
  const EventStore store = EventStore::open(folder);
  int64_t sum = 0;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    const Subject subject = store.subject(s);
    for (int64_t i = 0; i < subject.num_events; ++i) {
      sum += subject.code(i) ^ subject.time_us(i) ^ static_cast<int64_t>(subject.has_value(i));
    }
  }
  if (sum == 1) std::printf(" ");
  return store.num_events();
}

void run(const std::string& meds, int threads) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("bench_ingest." + std::to_string(getpid())))
          .string();
  const Dataset dataset = find_dataset(meds);
  for (int n : {1, threads}) {
    if (dataset.kind == DatasetKind::parquet)
      report("bare scan", n, [&] { return scan(dataset, n); });
    std::filesystem::remove_all(folder);
    report("ingest", n,
           [&] { return ingest({.meds = meds, .folder = folder, .num_threads = n}).num_events; });
    if (n == threads) break;
  }
  report("ingest, all reused", threads, [&] {
    return ingest({.meds = meds, .folder = folder, .num_threads = threads}).num_events;
  });
  report("scan of the store", 1, [&] { return read_store(folder); });
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_ingest MEDS_FOLDER [THREADS]\n");
    return 2;
  }
  const int threads = argc > 2 ? std::atoi(argv[2]) : sequela::default_num_threads();
  try {
    sequela::run(argv[1], threads);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
