// The reading of an Athena folder beside a bare scan of the same files for line feeds.
// usage: bench_ontology ATHENA_FOLDER [THREADS]
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "sequela/core/parallel.h"
#include "sequela/io/file.h"
#include "sequela/ontology/build_ontology.h"

namespace {

constexpr int kSeeds = 20'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double resident_mib() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void scan(const std::string& folder, const char* name) {
  const sequela::MappedFile file(folder + "/" + name);
  const auto start = std::chrono::steady_clock::now();
  int64_t lines = 0;
  const std::string_view text = file.text();
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) ++lines;
  const double mb = static_cast<double>(text.size()) / 1e6;
  std::printf("bare scan of %-24s %8.0f MB %10lld lines %8.0f MB/s\n", name, mb,
              static_cast<long long>(lines), mb / seconds_since(start));
}

// Codes spread over the whole vocabulary, as a data set's would be.
std::vector<std::string> pick_codes(const sequela::CodeTable& codes) {
  const int64_t num_seeds = std::min<int64_t>(kSeeds, codes.size());
  std::vector<std::string> picked;
  for (int64_t i = 0; i < num_seeds; ++i) {
    picked.emplace_back(codes.code(static_cast<int32_t>(i * codes.size() / num_seeds)));
  }
  return picked;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: bench_ontology ATHENA_FOLDER [THREADS]\n"), 2;
  const std::string folder = argv[1];
  const int threads = argc > 2 ? std::atoi(argv[2]) : sequela::default_num_threads();

  auto start = std::chrono::steady_clock::now();
  std::vector<std::string> codes;
  {
    const auto graph = sequela::AthenaGraph::read(folder, threads);
    const double mb = static_cast<double>(graph.stats().num_bytes) / 1e6;
    const double seconds = seconds_since(start);
    std::printf("read, %d threads: %d codes, %.0f MB in %.2f s: %.0f MB/s; %.0f MiB resident\n",
                threads, graph.num_nodes(), mb, seconds, mb / seconds, resident_mib());
    codes = pick_codes(graph.codes());
  }
  start = std::chrono::steady_clock::now();
  const sequela::Ontology ontology =
      sequela::build_ontology({.athena = folder, .num_threads = threads}, codes,
                              std::vector<int64_t>(codes.size(), 1), nullptr);
  std::printf("build for %zu codes: %d nodes in %.2f s; %.0f MiB resident\n", codes.size(),
              ontology.num_nodes(), seconds_since(start), resident_mib());
  for (const char* name : {"CONCEPT.csv", "CONCEPT_RELATIONSHIP.csv", "CONCEPT_ANCESTOR.csv"}) {
    scan(folder, name);
  }
}
