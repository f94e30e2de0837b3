// Fits a tokenizer, and featurises every event with it, beside a bare re-scan of the same store.
// usage: bench_tokenizer STORE_FOLDER ONTOLOGY_PARQUET [THREADS]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>

#include "sequela/core/parallel.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/fit_tokenizer.h"

namespace {

// Wall and CPU time: on a busy machine the second is the one to compare.
void time(const char* name, int64_t num_events, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const clock_t start_cpu = std::clock();
  work();
  const double cpu = static_cast<double>(std::clock() - start_cpu) / CLOCKS_PER_SEC;
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double millions = static_cast<double>(num_events) / 1e6;
  std::printf("%-12s %7.3f s, %7.3f CPU-s: %8.1f M events/s, %7.1f M events/s/core\n", name, wall,
              cpu, millions / wall, millions / cpu);
}

int64_t scan(const sequela::EventStore& store) {
  int64_t sum = 0;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    const sequela::Subject subject = store.subject(s);
    for (int64_t i = 0; i < subject.num_events; ++i) {
      sum += subject.time_us(i) + subject.code(i) + subject.has_value(i);
    }
  }
  return sum;
}

size_t featurise(const sequela::EventStore& store, const sequela::EventTokenizer& tokenizer) {
  std::vector<sequela::BagEntry> bag;
  size_t num_entries = 0;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    const sequela::Subject subject = store.subject(s);
    bag.clear();
    for (int64_t i = 0; i < subject.num_events; ++i) tokenizer.append_bag(subject, i, bag);
    num_entries += bag.size();
  }
  return num_entries;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    return std::fprintf(stderr, "usage: bench_tokenizer STORE ONTOLOGY_PARQUET [THREADS]\n"), 2;
  }
  const auto store = sequela::EventStore::open(argv[1]);
  const auto ontology = sequela::Ontology::read(argv[2]);
  sequela::TokenizerOptions options;
  options.num_threads = argc > 3 ? std::atoi(argv[3]) : 1;
  int64_t closure = 0;
  const std::vector<int32_t> nodes = ontology.nodes_of(store.codes());
  for (size_t c = 0; c < nodes.size(); ++c) {
    closure += store.counts()[c] * static_cast<int64_t>(ontology.all_parents(nodes[c]).size());
  }
  std::printf("%lld subjects, %lld events, %zu codes, %.1f all-parents an event\n",
              static_cast<long long>(store.num_subjects()),
              static_cast<long long>(store.num_events()), store.codes().size(),
              static_cast<double>(closure) / static_cast<double>(store.num_events()));

  int64_t sum = scan(store);  // brings the store into memory
  time("re-scan", store.num_events(), [&] { sum += scan(store); });
  sequela::Vocabulary vocabulary;
  time("fit", store.num_events(),
       [&] { vocabulary = fit_tokenizer(store, ontology, {}, options); });
  const sequela::EventTokenizer tokenizer(store, ontology, vocabulary);
  size_t num_entries = 0;
  time("featurise", store.num_events(), [&] { num_entries = featurise(store, tokenizer); });
  std::printf("%zu tokens in the dictionary, %zu entries in all bags (check %llx)\n",
              vocabulary.entries.size(), num_entries, static_cast<unsigned long long>(sum));
}
