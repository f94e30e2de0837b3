// The reading of an Athena folder beside a bare scan of the same files for line feeds.
// usage: bench_ontology ATHENA_FOLDER [THREADS]
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "sequela/core/parallel.h"
#include "sequela/io/file.h"
#include "sequela/ontology/build_ontology.h"

namespace {

constexpr int kSeeds = 20'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double resident_mib() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void scan(const std::string& folder, const char* name) {
  const sequela::MappedFile file(folder + "/" + name);
  const double start = cpu_seconds();
  int64_t lines = 0;
  const std::string_view text = file.text();
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) ++lines;
  const double mb = static_cast<double>(text.size()) / 1e6;
  std::printf("bare scan of %-24s %8.0f MB %10lld lines %8.0f MB per CPU second\n", name, mb,
              static_cast<long long>(lines), mb / (cpu_seconds() - start));
}

// Codes spread over the whole vocabulary, as a data set's would be.
std::vector<std::string> pick_codes(const sequela::TextTable& codes) {
  const int64_t num_seeds = std::min<int64_t>(kSeeds, codes.size());
  std::vector<std::string> picked;
  for (int64_t i = 0; i < num_seeds; ++i) {
    picked.emplace_back(codes.text(static_cast<int32_t>(i * codes.size() / num_seeds)));
  }
  return picked;
}

// Reads the whole folder; gives codes spread over it.
std::vector<std::string> read_athena(const sequela::OntologyOptions& options) {
  const double start = cpu_seconds();
  const auto graph = sequela::AthenaGraph::read(options.athena, options.num_threads);
  const double mb = static_cast<double>(graph.stats().num_bytes) / 1e6;
  std::printf("%d threads, %d codes, %.0f MB: %.0f MB per CPU second\n", options.num_threads,
              graph.num_nodes(), mb, mb / (cpu_seconds() - start));
  return pick_codes(graph.codes());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: bench_ontology ATHENA_FOLDER [THREADS]\n"), 2;
  sequela::OntologyOptions options;
  options.athena = argv[1];
  options.num_threads = argc > 2 ? std::atoi(argv[2]) : sequela::default_num_threads();

  auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> codes = read_athena(options);
  std::printf("read: %.2f s, %.2f CPU s, %.0f MiB resident\n", seconds_since(start), cpu_seconds(),
              resident_mib());
  start = std::chrono::steady_clock::now();
  const sequela::Ontology ontology =
      sequela::build_ontology(options, codes, std::vector<int64_t>(codes.size(), 1), nullptr);
  std::printf("build for %zu codes: %d nodes in %.2f s, %.0f MiB resident\n", codes.size(),
              ontology.num_nodes(), seconds_since(start), resident_mib());
  for (const char* name : {"CONCEPT.csv", "CONCEPT_RELATIONSHIP.csv", "CONCEPT_ANCESTOR.csv"}) {
    scan(options.athena, name);
  }
}
