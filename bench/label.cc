// Rows a second of `sequela label` for some tasks, beside a plain scan of the same columns.
//   bench_label MEDS [THREADS]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "sequela/core/parallel.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/pipeline/label.h"

namespace {

using namespace sequela;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Decodes the columns of every shard and does nothing with them; returns the number of rows.
int64_t scan(const Dataset& dataset, const std::vector<const char*>& names, int num_threads) {
  std::vector<int64_t> rows(dataset.shards.size());
  parallel_for(static_cast<int64_t>(rows.size()), num_threads, [&](int64_t i, int) {
    ParquetReader reader(dataset.shards[i]);
    std::vector<int> columns;
    for (const char* name : names) {
      if (const auto column = reader.find_column(name)) columns.push_back(*column);
    }
    reader.read(columns, [&](const RowBatch& batch) { rows[i] += batch.num_rows; });
  });
  int64_t total = 0;
  for (const int64_t count : rows) total += count;
  return total;
}

void print(const std::string& name, int64_t rows, double seconds) {
  std::printf("%-36s %8.2f s %8.2f M rows/s\n", name.c_str(), seconds,
              static_cast<double>(rows) / seconds / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_label MEDS [THREADS]\n");
    return 2;
  }
  const Dataset dataset = find_dataset(argv[1]);
  const int num_threads = argc > 2 ? std::atoi(argv[2]) : default_num_threads();
  const auto time_scan = [&](const std::string& name, const std::vector<const char*>& columns) {
    const auto start = Clock::now();
    const int64_t rows = scan(dataset, columns, num_threads);
    print(name, rows, seconds_since(start));
  };
  time_scan("scan, to warm the cache", {"subject_id", "time", "code", "numeric_value"});
  time_scan("scan of subject, time, code", {"subject_id", "time", "code"});
  time_scan("scan of these and numeric_value", {"subject_id", "time", "code", "numeric_value"});
  const auto out = std::filesystem::temp_directory_path() / "bench_label";
  for (const char* task : {"mortality_in_hospital", "readmission_30d", "abnormal_lab"}) {
    std::filesystem::remove_all(out);
    const LabelReport report = make_labels({.meds = argv[1],
                                            .task = task,
                                            .out = out.string(),
                                            .num_threads = num_threads,
                                            .memory_bytes = int64_t{4} << 30});
    print(task, report.num_events, report.seconds);
  }
  std::filesystem::remove_all(out);
}
