#include "sequela/pipeline/compare_data.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <unordered_map>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/random.h"
#include "sequela/evaluation/baseline.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/labels.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/tokenizer/sequence/vocabulary_mapper.h"

namespace sequela {
namespace {

constexpr double kTrainShare = 0.60, kValidationShare = 0.15;
constexpr double kDaysPerYear = 365.25;

class Parts {
 public:
  Parts(const std::string& meds, uint64_t seed) : seed_(seed) {
    const Dataset dataset = find_dataset(meds);
    if (!dataset.splits_path) return;
    for (const auto& row : read_subject_splits(*dataset.splits_path)) {
      splits_[row.subject_id] = parse_split_part(row.split);
    }
  }
  // Nothing for a subject that the split puts elsewhere.
  std::optional<SplitPart> of(int64_t subject_id) const {
    const auto found = splits_.find(subject_id);
    if (found != splits_.end()) return found->second;
    const double place = to_uniform(hash_key(seed_, static_cast<uint64_t>(subject_id)));
    if (place < kTrainShare) return SplitPart::train;
    return place < kTrainShare + kValidationShare ? SplitPart::tuning : SplitPart::held_out;
  }

 private:
  uint64_t seed_;
  std::unordered_map<int64_t, std::optional<SplitPart>> splits_;
};

// Ids of the store's codes in the vocabulary, 0 = unknown, and the share of events with one.
struct CodeIds {
  std::vector<int32_t> ids;
  double coverage = 0;
};

std::shared_ptr<const Ontology> read_ontology(const CompareOptions& options,
                                              const EventStore& store) {
  if (options.athena.empty()) return nullptr;
  return std::make_shared<Ontology>(read_ontology_of(
      {options.athena, "", options.out, options.num_threads}, store.codes(), store.counts()));
}

CodeIds map_codes(const EventStore& store, const CompareOptions& options,
                  const CodeVocabulary& vocabulary) {
  VocabularyMapper mapper(vocabulary, {}, read_ontology(options, store));
  CodeIds codes;
  for (const std::string& code : store.codes()) {
    const CodeMatch match = mapper.match(code);
    if (match.id == 0 && match.step != MapStep::unknown) {
      throw ConfigError(str("the vocabulary in ", options.pretrained,
                            " gives id 0 to a code; a "
                            "progression model keeps it for padding. Fix: put [PAD] first."));
    }
    codes.ids.push_back(match.step == MapStep::unknown ? 0 : match.id);
  }
  const MappingReport report = mapper.report(store.codes(), store.counts());
  log_info(report.text());
  codes.coverage = report.coverage();
  return codes;
}

// The subject with its events up to a time.
Subject up_to(const Subject& subject, int64_t time_us) {
  Subject history = subject;
  const int64_t* end = subject.times_us + subject.num_events;
  history.num_events = std::upper_bound(subject.times_us, end, time_us) - subject.times_us;
  return history;
}

// NaN if it is not known.
float age_years(const Subject& subject, int64_t time_us) {
  if (subject.birth_us == kNoTime || subject.birth_us > time_us) return std::nanf("");
  const auto age_us = static_cast<double>(time_us - subject.birth_us);
  return static_cast<float>(age_us / kMicrosPerDay / kDaysPerYear);
}

class Builder {
 public:
  Builder(const EventStore& store, const CompareOptions& options, CodeIds codes)
      : store_(store),
        parts_(options.meds, options.seed),
        grouper_(store, visit_options(options)),
        counts_(static_cast<int32_t>(store.codes().size())),
        code_ids_(std::move(codes.ids)) {
    data_.coverage = codes.coverage;
  }

  void add(const Label& label) {
    const auto index = store_.find_subject(label.subject_id);
    const std::optional<SplitPart> part = parts_.of(label.subject_id);
    if (!part) ++num_of_other_splits_;
    if (!index || !part || std::isnan(label.value)) {
      ++data_.num_labels_skipped;
      return;
    }
    const Subject history = up_to(store_.subject(*index), label.prediction_time_us);
    grouper_.append(history, &data_.visits);
    codes_.clear();
    for (int64_t i = 0; i < history.num_events; ++i) codes_.push_back(history.code(i));
    const float age = age_years(history, label.prediction_time_us);
    counts_.add_row(codes_, {&age, 1});
    rows_of(*part).push_back(static_cast<int64_t>(data_.outcomes.size()));
    data_.subject_ids.push_back(label.subject_id);
    data_.outcomes.push_back(label.value > 0 ? 1 : 0);
  }

  CompareData finish() {
    if (num_of_other_splits_ > 0) {
      log_warning(str(num_of_other_splits_,
                      " labels are left out: the split of their subject is none of train, tuning "
                      "and held_out"));
    }
    for (int32_t& code : data_.visits.codes) code = code_ids_[code];
    data_.counts = counts_.build();
    return std::move(data_);
  }

 private:
  std::vector<int64_t>& rows_of(SplitPart part) {
    if (part == SplitPart::train) return data_.train;
    return part == SplitPart::tuning ? data_.validation : data_.test;
  }
  static VisitOptions visit_options(const CompareOptions& options) {
    VisitOptions visits;
    visits.max_visits = options.max_visits;
    visits.max_codes = options.max_codes;
    visits.drop_repeats = true;
    return visits;
  }

  const EventStore& store_;
  const Parts parts_;
  VisitGrouper grouper_;
  CountFeatures counts_;
  std::vector<int32_t> code_ids_, codes_;
  int64_t num_of_other_splits_ = 0;
  CompareData data_;
};

void check_part(const CompareData& data, const std::vector<int64_t>& rows, const char* name,
                const std::string& path) {
  const auto positive =
      std::count_if(rows.begin(), rows.end(), [&](int64_t row) { return data.outcomes[row] != 0; });
  if (positive > 0 && positive < static_cast<int64_t>(rows.size())) return;
  throw DataError({path},
                  str("the ", name, " subjects have ", rows.size(), " labels, ", positive,
                      " of them true: both outcomes are needed"),
                  "give more labels, or other splits");
}

}  // namespace

CompareData read_compare_data(const CompareOptions& options, const CodeVocabulary& vocabulary) {
  const std::vector<Label> labels = read_labels(options.labels, options.zone_rule);
  const TemporaryStore temporary({.meds = options.meds,
                                  .text_properties = encounter_columns({}),
                                  .zone_rule = options.zone_rule,
                                  .num_threads = options.num_threads,
                                  .memory_bytes = options.memory_bytes},
                                 options.out);
  const EventStore store = temporary.open();
  Builder builder(store, options, map_codes(store, options, vocabulary));
  for (const Label& label : labels) builder.add(label);
  CompareData data = builder.finish();
  check_part(data, data.train, "train", options.labels);
  check_part(data, data.validation, "tuning", options.labels);
  check_part(data, data.test, "held-out", options.labels);
  return data;
}

PatientVisits select_patients(const PatientVisits& visits, std::span<const int64_t> rows) {
  PatientVisits chosen;
  for (const int64_t row : rows) {
    for (int64_t v = visits.visit_offsets[row]; v < visits.visit_offsets[row + 1]; ++v) {
      const std::span<const int32_t> codes = visits.codes_of(v);
      chosen.codes.insert(chosen.codes.end(), codes.begin(), codes.end());
      chosen.code_offsets.push_back(chosen.num_codes());
      chosen.visit_times_us.push_back(visits.visit_times_us[v]);
      chosen.visit_end_times_us.push_back(visits.visit_end_times_us[v]);
    }
    chosen.subject_ids.push_back(visits.subject_ids[row]);
    chosen.visit_offsets.push_back(chosen.num_visits());
  }
  return chosen;
}

std::vector<uint8_t> outcomes_of(const CompareData& data, std::span<const int64_t> rows) {
  std::vector<uint8_t> outcomes;
  for (const int64_t row : rows) outcomes.push_back(data.outcomes[row]);
  return outcomes;
}

}  // namespace sequela
