#include "sequela/tokenizer/fit_tokenizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "sequela/core/error.h"
#include "sequela/tokenizer/quantile.h"
#include "sequela/tokenizer/statistics.h"

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;

// Negative entropy of a coin in nats, 0 for a coin that always falls the same way.
double entropy(double share) {
  if (share <= 0 || share >= 1) return 0;
  return share * std::log(share) + (1 - share) * std::log(1 - share);
}

// How much knowing that a subject has the code tells, beyond its parents. Source: MOTOR,
// arXiv:2301.03150.
double code_weight(const Ontology& ontology, const TokenizerStatistics& statistics, int32_t node) {
  if (ontology.code(node) == kBirthCode) return entropy(0.5);
  int64_t baseline = statistics.num_subjects;
  for (int32_t parent : ontology.parents(node)) {
    baseline = std::min(baseline, statistics.node_subjects[parent]);
  }
  const double share =
      static_cast<double>(statistics.node_subjects[node]) / static_cast<double>(baseline);
  return static_cast<double>(baseline) / static_cast<double>(statistics.num_subjects) *
         entropy(share);
}

void add_codes(const Ontology& ontology, const TokenizerStatistics& statistics,
               std::vector<VocabularyEntry>& entries) {
  for (int32_t node = 0; node < ontology.num_nodes(); ++node) {
    if (statistics.node_subjects[node] == 0) continue;
    VocabularyEntry entry;
    entry.type = Type::code;
    entry.code_string = ontology.code(node);
    entry.weight = code_weight(ontology, statistics, node);
    entries.push_back(std::move(entry));
  }
}

void add_texts(const Property& property, const PropertyStatistics& counts, int64_t num_subjects,
               std::vector<VocabularyEntry>& entries) {
  for (size_t text = 0; text < counts.text_subjects.size(); ++text) {
    if (counts.text_subjects[text] == 0) continue;
    VocabularyEntry entry;
    entry.type = Type::text;
    entry.property = property.name;
    entry.text_string = property.texts[text];
    entry.weight = entropy(static_cast<double>(counts.text_subjects[text]) /
                           static_cast<double>(num_subjects));
    entries.push_back(std::move(entry));
  }
}

// Edges of at most num_bins bins with as many of the samples (at least one) in each.
std::vector<double> bin_edges(const std::vector<float>& samples, int32_t num_bins) {
  std::vector<double> edges;
  for (int32_t i = 0; i <= num_bins; ++i) {
    edges.push_back(quantile(static_cast<int64_t>(samples.size()), linspace_at(1, num_bins, i),
                             [&](int64_t k) { return samples[k]; }));
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  if (edges.size() == 1) edges.push_back(edges[0]);
  edges.front() = -std::numeric_limits<double>::infinity();
  edges.back() = std::numeric_limits<double>::infinity();
  return edges;
}

// `model` says all but the edges.
void add_bins(const std::vector<double>& edges, const VocabularyEntry& model,
              std::vector<VocabularyEntry>& entries) {
  for (size_t i = 0; i + 1 < edges.size(); ++i) {
    VocabularyEntry& entry = entries.emplace_back(model);
    entry.val_start = edges[i];
    entry.val_end = edges[i + 1];
  }
}

// Deals the bins to the properties by their counts of numbers, at least one to each that has any.
void add_numeric(const std::vector<Property>& properties, const TokenizerStatistics& statistics,
                 int32_t num_numeric, std::vector<VocabularyEntry>& entries) {
  unsigned __int128 total = 0;
  for (const auto& counts : statistics.properties) total += counts.numeric_count;
  for (size_t p = 0; p < properties.size(); ++p) {
    const PropertyStatistics& counts = statistics.properties[p];
    if (counts.samples.empty()) continue;
    const double share = static_cast<double>(counts.numeric_count) / static_cast<double>(total);
    const int32_t num_bins = std::max(1, static_cast<int32_t>(num_numeric * share));
    VocabularyEntry model;
    model.type = Type::numeric;
    model.property = properties[p].name;
    model.weight = -1;
    add_bins(bin_edges(counts.samples, num_bins), model, entries);
  }
}

// Bins of each code's own numbers. A bin weighs as a code does that as many subjects have; a code
// whose numbers are all the same has none.
void add_code_bins(const EventStore& store, const TokenizerStatistics& statistics,
                   int32_t bins_per_code, std::vector<VocabularyEntry>& entries) {
  for (size_t p = 0; p < store.properties().size(); ++p) {
    const std::vector<CodeStatistics>& codes = statistics.properties[p].codes;
    for (size_t code = 0; code < codes.size(); ++code) {
      if (codes[code].samples.empty()) continue;
      const std::vector<double> edges = bin_edges(codes[code].samples, bins_per_code);
      const auto num_bins = static_cast<double>(edges.size() - 1);
      if (num_bins == 1) continue;
      VocabularyEntry model;
      model.type = Type::numeric;
      model.code_string = store.codes()[code];
      model.property = store.properties()[p].name;
      model.weight = entropy(static_cast<double>(codes[code].num_subjects) /
                             (num_bins * static_cast<double>(statistics.num_subjects)));
      add_bins(edges, model, entries);
    }
  }
}

void keep_best(std::vector<VocabularyEntry>& entries, const TokenizerOptions& options) {
  const double limit = entropy(options.min_fraction);
  // A weight of 0 belongs to what all subjects have: it tells nothing.
  std::erase_if(entries,
                [&](const auto& entry) { return entry.weight > limit || entry.weight == 0; });
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.weight, a.type, a.property, a.code_string, a.text_string, a.val_start) <
           std::tie(b.weight, b.type, b.property, b.code_string, b.text_string, b.val_start);
  });
  if (entries.size() > static_cast<size_t>(options.vocab_size)) entries.resize(options.vocab_size);
}

// A spread of 0 is stored as 1: values are divided by it.
MeanStd to_mean_std(const Moments& moments) {
  const double std = moments.std();
  return {moments.mean(), std > 0 ? std : 1};
}

}  // namespace

void TokenizerOptions::validate() const {
  if (vocab_size < 1 || vocab_size > 65'536) {
    throw ConfigError("vocab-size", str(vocab_size), "1 to 65536");
  }
  if (num_numeric < 1) throw ConfigError("num-numeric", str(num_numeric), "at least 1");
  if (bins_per_code < 0 || bins_per_code > 100) {
    throw ConfigError("bins-per-code", str(bins_per_code), "0 to 100");
  }
  if (!(min_fraction >= 0 && min_fraction <= 0.5)) {
    throw ConfigError("min-fraction", str(min_fraction), "0 to 0.5");
  }
  if (reservoir_size < 1) throw ConfigError("reservoir-size", str(reservoir_size), "at least 1");
  if (num_threads < 1) throw ConfigError("threads", str(num_threads), "at least 1");
}

Vocabulary fit_tokenizer(const EventStore& store, const Ontology& ontology,
                         const std::vector<Side>& sides, const TokenizerOptions& options) {
  options.validate();
  const TokenizerStatistics statistics = collect_statistics(store, ontology, sides, options);
  Vocabulary vocabulary;
  std::vector<VocabularyEntry>& entries = vocabulary.entries;
  add_codes(ontology, statistics, entries);
  for (size_t p = 0; p < store.properties().size(); ++p) {
    add_texts(store.properties()[p], statistics.properties[p], statistics.num_subjects, entries);
  }
  add_numeric(store.properties(), statistics, options.num_numeric, entries);
  add_code_bins(store, statistics, options.bins_per_code, entries);
  keep_best(entries, options);
  const AgeMoments& moments = statistics.age_moments;
  vocabulary.age_stats = {to_mean_std(moments.age), to_mean_std(moments.log_age),
                          to_mean_std(moments.delta), to_mean_std(moments.log_delta)};
  return vocabulary;
}

}  // namespace sequela
