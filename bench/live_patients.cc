// Very many live patients in bounded memory (features/stream_embedder.h): rounds in which each gets
// one event, so that every state of those that do not fit is read from a file and written to one.
// Beside it a plain write and read of as many bytes of the same files' size.
//
//   bench_live_patients FOLDER [base|small] [patients] [memory in MB] [rounds] [threads]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bench/live_feed.h"
#include "bench/reference_gemm.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Writes, then reads, so many files of so many bytes; microseconds a file.
double plain_file_us(const fs::path& folder, int64_t bytes) {
  constexpr int kFiles = 2'000;
  fs::create_directories(folder);
  std::vector<char> data(bytes, 1);
  const Cost cost = cost_of([&] {
    for (int i = 0; i < kFiles; ++i)
      std::ofstream(folder / std::to_string(i), std::ios::binary).write(data.data(), bytes);
    for (int i = 0; i < kFiles; ++i)
      std::ifstream(folder / std::to_string(i), std::ios::binary).read(data.data(), bytes);
  });
  fs::remove_all(folder);
  return 1e6 * cost.wall / kFiles;
}

void run(const fs::path& folder, const LiveModel& model, int64_t num_patients, int64_t memory_mb,
         int rounds, int threads) {
  at::set_num_threads(threads);
  const Ontology ontology = live_ontology();
  EmbedderOptions options;
  options.precision = Precision::bf16;
  options.keys = KeyPrecision::bf16;
  options.patients.memory_bytes = memory_mb << 20;
  options.patients.spill_folder = folder / "states";
  Embedder embedder = live_embedder(model, ontology, options);
  std::printf(
      "%lld patients, %lld MB for their states, %d threads; before them %.0f MiB resident\n",
      static_cast<long long>(num_patients), static_cast<long long>(memory_mb), threads, peak_mib());
  LiveFeed feed(embedder, num_patients);
  for (int round = 1; round <= rounds; ++round) {
    const Cost cost = cost_of([&] { feed.send(1, nullptr); });
    const PatientStore& store = embedder.patients();
    const auto in_memory = static_cast<double>(store.num_in_memory());
    std::printf("  round %d: %.0f events/s; %.0f in memory, %.1f kB each; peak %.0f MiB resident\n",
                round, static_cast<double>(num_patients) / cost.wall, in_memory,
                static_cast<double>(store.memory_bytes()) / in_memory / 1e3, peak_mib());
  }
  const PatientStore& store = embedder.patients();
  const int64_t bytes = store.memory_bytes() / std::max<int64_t>(1, store.num_in_memory());
  std::printf("  a plain file of a state's size, written and read: %.0f us\n",
              plain_file_us(folder / "plain", bytes));
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  const auto argument = [&](int i, const char* otherwise) {
    return std::string(argc > i ? argv[i] : otherwise);
  };
  if (argc < 2) {
    std::fprintf(
        stderr,
        "usage: bench_live_patients FOLDER [base|small] [patients] [memory in MB] [rounds] "
        "[threads]\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  sequela::run(folder, sequela::live_model(argument(2, "small")), std::stoll(argument(3, "100000")),
               std::stoll(argument(4, "2048")), std::stoi(argument(5, "3")),
               std::stoi(argument(6, "2")));
  std::filesystem::remove(folder / "states");
}
