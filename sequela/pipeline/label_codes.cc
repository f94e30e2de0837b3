#include "sequela/pipeline/label_codes.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/core/suggest.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/pipeline/data_ontology.h"

namespace sequela {
namespace {

std::set<std::string> concepts_of(const Plan& plan) {
  std::set<std::string> concepts;
  for (const Predicate& plain : plan.plains) {
    if (plain.code.kind != CodeRule::Kind::under) continue;
    concepts.insert(plain.code.texts.begin(), plain.code.texts.end());
  }
  return concepts;
}

// The distinct codes of one shard.
std::set<std::string, std::less<>> read_shard_codes(const std::string& shard) {
  std::set<std::string, std::less<>> codes;
  ParquetReader reader(shard);
  if (reader.num_rows() == 0) return codes;
  reader.read({reader.require_column("code", {ColumnType::string})}, [&](const RowBatch& batch) {
    const ColumnSlice& slice = batch.columns[0];
    for (int64_t i = 0; i < slice.dictionary_size; ++i) {
      if (!codes.contains(slice.dictionary[i])) codes.emplace(slice.dictionary[i]);
    }
  });
  return codes;
}

void warn_of_empty(const std::string& name, const Ontology& ontology) {
  std::vector<std::string> known;
  if (ontology.num_nodes() <= 20'000) {
    for (int32_t n = 0; n < ontology.num_nodes(); ++n) known.push_back(ontology.code(n));
  }
  const std::string suggestion = did_you_mean(name, known);
  log_warning(str("no code of the data lies under '", name, "'", suggestion));
}

}  // namespace

std::vector<std::string> read_distinct_codes(const Dataset& dataset, int num_threads) {
  std::set<std::string> all;
  std::mutex mutex;
  parallel_for(static_cast<int64_t>(dataset.shards.size()), num_threads, [&](int64_t i, int) {
    const auto codes = read_shard_codes(dataset.shards[i]);
    const std::lock_guard lock(mutex);
    all.insert(codes.begin(), codes.end());
  });
  all.erase("");  // stands in a dictionary's place of nulls
  return {all.begin(), all.end()};
}

Descendants find_descendants(const LabelOptions& options, const Plan& plan,
                             const std::function<std::vector<std::string>()>& read_codes) {
  Descendants descendants;
  const std::set<std::string> concepts = concepts_of(plan);
  if (concepts.empty()) return descendants;
  const Dataset dataset = find_dataset(options.meds);
  if (options.athena.empty() && !dataset.codes_path) {
    throw ConfigError(str("under: ", options.meds,
                          " has no metadata/codes.parquet with parents. Fix: give --athena."));
  }
  const std::vector<std::string> codes = read_codes();
  const OntologySource source{.path = options.athena,
                              .codes_parquet = dataset.codes_path.value_or(""),
                              .scratch_folder = options.out,
                              .num_threads = options.num_threads};
  const Ontology ontology =
      options.athena.empty() ? read_any_ontology(*dataset.codes_path)
                             : read_ontology_of(source, codes, std::vector<int64_t>(codes.size()));
  for (const std::string& code : codes) {
    if (concepts.contains(code)) descendants[code].insert(code);
    const auto node = ontology.find(code);
    if (!node) continue;
    for (const int32_t above : ontology.all_parents(*node)) {
      const std::string& name = ontology.code(above);
      if (concepts.contains(name)) descendants[name].insert(code);
    }
  }
  for (const std::string& name : concepts) {
    if (descendants[name].empty()) warn_of_empty(name, ontology);
  }
  return descendants;
}

}  // namespace sequela
