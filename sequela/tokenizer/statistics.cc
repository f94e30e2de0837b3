#include "sequela/tokenizer/statistics.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/core/random.h"
#include "sequela/tokenizer/code_numbers.h"
#include "sequela/tokenizer/reservoir.h"

namespace sequela {
namespace {

constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

// One thread's counts. Their sums do not depend on which thread saw which subject.
class Collector {
 public:
  Collector(const EventStore& store, const Ontology& ontology, const std::vector<int32_t>& nodes,
            const TokenizerOptions& options);

  void add(const Subject& subject, AgeMoments& moments);
  void add_to(TokenizerStatistics& statistics) const;
  Reservoir& reservoir(size_t property) { return properties_[property].reservoir; }
  // None unless codes have bins of their own.
  std::optional<CodeNumbers>& code_numbers(size_t property) {
    return properties_[property].code_numbers;
  }

 private:
  struct PropertyCounts {
    explicit PropertyCounts(int32_t size) : reservoir(size) {}
    std::vector<int64_t> text_subjects;
    std::vector<int32_t> text_stamps;
    unsigned __int128 numeric_count = 0;
    Reservoir reservoir;
    std::optional<CodeNumbers> code_numbers;
  };

  void add_codes(const Subject& subject);
  void add_property(const Subject& subject, size_t property);
  template <class NumberAt>
  void add_numbers(const Subject& subject, size_t property, const NumberAt& number_at);
  void count_texts(const Subject& subject, size_t property);

  const EventStore& store_;
  const Ontology& ontology_;
  const std::vector<int32_t>& nodes_;
  const uint64_t seed_;
  int32_t stamp_ = 0;  // of the subject in work
  int64_t num_subjects_ = 0;
  std::vector<int32_t> code_stamps_;
  std::vector<int32_t> node_stamps_;
  std::vector<int64_t> node_subjects_;
  std::vector<PropertyCounts> properties_;
};

Collector::Collector(const EventStore& store, const Ontology& ontology,
                     const std::vector<int32_t>& nodes, const TokenizerOptions& options)
    : store_(store), ontology_(ontology), nodes_(nodes), seed_(options.seed) {
  code_stamps_.resize(nodes.size());
  node_stamps_.resize(ontology.num_nodes());
  node_subjects_.resize(ontology.num_nodes());
  for (const Property& property : store.properties()) {
    auto& counts = properties_.emplace_back(options.reservoir_size);
    counts.text_subjects.resize(property.texts.size());
    counts.text_stamps.resize(property.texts.size());
    if (options.bins_per_code > 0) counts.code_numbers.emplace(store.codes().size());
  }
}

void Collector::add_codes(const Subject& subject) {
  for (int64_t i = 0; i < subject.num_events; ++i) {
    const int32_t code = subject.code(i);
    if (code_stamps_[code] == stamp_) continue;
    code_stamps_[code] = stamp_;
    for (int32_t node : ontology_.all_parents(nodes_[code])) {
      if (node_stamps_[node] == stamp_) continue;
      node_stamps_[node] = stamp_;
      ++node_subjects_[node];
    }
  }
}

void Collector::count_texts(const Subject& subject, size_t property) {
  const PropertyValues& values = subject.properties[property];
  const Property& description = store_.properties()[property];
  PropertyCounts& counts = properties_[property];
  for (int64_t i = 0; i < subject.num_events; ++i) {
    const int32_t text = values.text(i);
    if (text < 0 || counts.text_stamps[text] == stamp_) continue;
    counts.text_stamps[text] = stamp_;
    if (is_null_float(description.text_numbers[text])) ++counts.text_subjects[text];
  }
}

template <class NumberAt>
void Collector::add_numbers(const Subject& subject, size_t property, const NumberAt& number_at) {
  int64_t count = 0;
  for (int64_t i = 0; i < subject.num_events; ++i) count += std::isfinite(number_at(i));
  if (count == 0) return;
  PropertyCounts& counts = properties_[property];
  counts.numeric_count += static_cast<unsigned __int128>(count) * subject.num_events;
  const double inverse_weight = static_cast<double>(count);
  const uint64_t limit = counts.reservoir.hash_limit(inverse_weight);
  const uint64_t base = hash_key(seed_, property, static_cast<uint64_t>(subject.id));
  for (int64_t i = 0; i < subject.num_events; ++i) {
    const uint64_t hash = mix64(base ^ static_cast<uint64_t>(i));
    if (hash > limit) continue;
    const float number = number_at(i);
    if (std::isfinite(number)) counts.reservoir.add(hash, inverse_weight, number);
  }
  if (counts.code_numbers) counts.code_numbers->add(subject, base, number_at);
}

void Collector::add_property(const Subject& subject, size_t property) {
  const PropertyValues& values = subject.properties[property];
  if (values.numbers != nullptr) {
    add_numbers(subject, property, [&](int64_t i) { return values.numbers[i]; });
    return;
  }
  count_texts(subject, property);
  const std::vector<float>& text_numbers = store_.properties()[property].text_numbers;
  add_numbers(subject, property, [&](int64_t i) {
    const int32_t text = values.text(i);
    return text < 0 ? kNoNumber : text_numbers[text];
  });
}

// Ages of the events after the birth day, and the gaps between consecutive ones.
void add_ages(const Subject& subject, AgeMoments& moments) {
  const int64_t* const end = subject.times_us + subject.num_events;
  const int64_t next_day_us = (day_of(subject.birth_us) + 1) * kMicrosPerDay;
  const int64_t* time = std::lower_bound(subject.times_us, end, next_day_us);
  SubjectMoments age, log_age, delta, log_delta;
  int64_t last_us = kNoTime;
  while (time != end) {
    const int64_t time_us = *time;
    const int64_t* const first = time;
    while (time != end && *time == time_us) ++time;
    const int64_t times = time - first;
    const double age_seconds = static_cast<double>(time_us - subject.birth_us) / kMicrosPerSecond;
    age.add(age_seconds, times);
    log_age.add(std::log(1 + age_seconds), times);
    if (last_us != kNoTime) {
      const double delta_seconds = static_cast<double>(time_us - last_us) / kMicrosPerSecond;
      delta.add(delta_seconds, 1);
      log_delta.add(std::log(1 + delta_seconds), 1);
    }
    if (times > 1) {
      delta.add(0, times - 1);
      log_delta.add(0, times - 1);
    }
    last_us = time_us;
  }
  const double weight = 1.0 / static_cast<double>(subject.num_events);
  moments.age.add(age, weight);
  moments.log_age.add(log_age, weight);
  moments.delta.add(delta, weight);
  moments.log_delta.add(log_delta, weight);
}

void Collector::add(const Subject& subject, AgeMoments& moments) {
  ++num_subjects_;
  ++stamp_;
  add_codes(subject);
  for (size_t p = 0; p < properties_.size(); ++p) add_property(subject, p);
  add_ages(subject, moments);
}

void add_to_sum(std::vector<int64_t>& sum, const std::vector<int64_t>& counts) {
  sum.resize(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) sum[i] += counts[i];
}

void Collector::add_to(TokenizerStatistics& statistics) const {
  statistics.num_subjects += num_subjects_;
  add_to_sum(statistics.node_subjects, node_subjects_);
  for (size_t p = 0; p < properties_.size(); ++p) {
    add_to_sum(statistics.properties[p].text_subjects, properties_[p].text_subjects);
    statistics.properties[p].numeric_count += properties_[p].numeric_count;
  }
}

std::vector<CodeStatistics> code_statistics(std::vector<std::unique_ptr<Collector>>& collectors,
                                            size_t property) {
  std::optional<CodeNumbers>& all = collectors[0]->code_numbers(property);
  if (!all) return {};
  for (size_t c = 1; c < collectors.size(); ++c) all->merge(*collectors[c]->code_numbers(property));
  std::vector<CodeStatistics> found;
  for (CodeNumbers::Code& code : all->codes()) {
    found.push_back(
        {code.num_subjects, code.sample ? code.sample->sorted_values() : std::vector<float>()});
  }
  return found;
}

TokenizerStatistics sum_of(std::vector<std::unique_ptr<Collector>>& collectors,
                           const std::vector<AgeMoments>& moments_of_chunks,
                           const TokenizerOptions& options, size_t num_properties) {
  TokenizerStatistics statistics;
  statistics.properties.resize(num_properties);
  for (const auto& collector : collectors) collector->add_to(statistics);
  for (size_t p = 0; p < num_properties; ++p) {
    Reservoir reservoir(options.reservoir_size);
    for (const auto& collector : collectors) reservoir.merge(collector->reservoir(p));
    statistics.properties[p].samples = reservoir.sorted_values();
    statistics.properties[p].codes = code_statistics(collectors, p);
  }
  for (const AgeMoments& moments : moments_of_chunks) statistics.age_moments.merge(moments);
  return statistics;
}

}  // namespace

void AgeMoments::merge(const AgeMoments& other) {
  age.merge(other.age);
  log_age.merge(other.log_age);
  delta.merge(other.delta);
  log_delta.merge(other.log_delta);
}

TokenizerStatistics collect_statistics(const EventStore& store, const Ontology& ontology,
                                       const std::vector<Side>& sides,
                                       const TokenizerOptions& options) {
  if (options.fit_on_train_only) {
    SEQUELA_CHECK(static_cast<int64_t>(sides.size()) == store.num_subjects());
  }
  const std::vector<int32_t> nodes = ontology.nodes_of(store.codes());
  const std::vector<Chunk>& chunks = store.chunks();
  std::vector<std::unique_ptr<Collector>> collectors;
  for (int t = 0; t < options.num_threads; ++t) {
    collectors.push_back(std::make_unique<Collector>(store, ontology, nodes, options));
  }
  std::vector<AgeMoments> moments(chunks.size());
  Progress progress("tokenizer", store.num_events(), "events");
  parallel_for(
      static_cast<int64_t>(chunks.size()), options.num_threads, [&](int64_t c, int thread) {
        throw_if_stopped();
        const Chunk& chunk = chunks[c];
        for (int64_t s = chunk.first_subject; s < chunk.first_subject + chunk.num_subjects; ++s) {
          if (options.fit_on_train_only && sides[s] != Side::train) continue;
          const Subject subject = store.subject(s);
          if (subject.birth_us != kNoTime) collectors[thread]->add(subject, moments[c]);
        }
        store.release(chunk.first_subject, chunk.first_subject + chunk.num_subjects);
        progress.advance(chunk.num_events);
      });
  return sum_of(collectors, moments, options, store.properties().size());
}

}  // namespace sequela
