#include "sequela/objective/mlm/mlm_data.h"

#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/meds/split.h"

namespace sequela {
namespace {

std::vector<Side> build_sides(const EventStore& store, const MlmDataOptions& options) {
  std::vector<int64_t> ids;
  ids.reserve(static_cast<size_t>(store.num_subjects()));
  for (int64_t i = 0; i < store.num_subjects(); ++i) ids.push_back(store.subject_id(i));
  return Split::build(ids, options.split_seed, options.val_fraction).sides(store);
}

void drop_values(CehrPatient* patient) {
  for (CehrEvent& event : patient->events) {
    event.has_number = false;
    event.text = event.unit = -1;
  }
}

}  // namespace

void MlmDataOptions::validate() const {
  meds.visits.validate();
  vocabulary.validate();
  if (!(val_fraction >= 0 && val_fraction < 1)) {
    throw ConfigError("val-fraction", str(val_fraction), "0 or more, below 1");
  }
}

MlmData build_mlm_data(const EventStore& store, const MlmDataOptions& options) {
  options.validate();
  const std::vector<Side> sides = build_sides(store, options);
  CehrMedsConverter converter(store, options.meds);
  CehrRecords train, validation;
  CehrRecordBuilder train_builder(converter.texts(), options.records, &train);
  CehrRecordBuilder validation_builder(converter.texts(), options.records, &validation);
  CehrPatient patient;
  int64_t num_left_out = 0;
  std::vector<int64_t> train_subjects, validation_subjects;
  Progress progress("sequences", store.num_subjects(), "subjects");
  for (int64_t i = 0; i < store.num_subjects(); ++i) {
    throw_if_stopped();
    progress.advance(1);
    if (!converter.convert(store.subject(i), &patient)) {
      ++num_left_out;
      continue;
    }
    if (!options.with_values) drop_values(&patient);
    const bool is_train = sides[static_cast<size_t>(i)] != Side::validation;
    (is_train ? train_builder : validation_builder).append(patient);
    (is_train ? train_subjects : validation_subjects).push_back(store.subject_id(i));
  }
  if (train.size() == 0) {
    throw DataError({}, "no subject to train on has a birth and a visit",
                    "give a data set with MEDS_BIRTH events, or a smaller --val-fraction");
  }
  MlmData data{fit_cehr_tokenizer(train, options.vocabulary),
               {},
               {},
               num_left_out,
               std::move(train_subjects),
               std::move(validation_subjects)};
  data.train.reserve(train.num_records(), train.size());
  data.tokenizer.append(train, &data.train);
  data.validation.reserve(validation.num_records(), validation.size());
  data.tokenizer.append(validation, &data.validation);
  return data;
}

}  // namespace sequela
