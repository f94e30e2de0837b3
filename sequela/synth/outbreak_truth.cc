#include "sequela/synth/outbreak_truth.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/synth/person.h"
#include "sequela/synth/vocabulary.h"

namespace sequela {
namespace {

double to_day(int64_t time_us) {
  return static_cast<double>(time_us) / static_cast<double>(kMicrosPerDay);
}

// Mean days in the prodrome by `days`, of one that began at a density of 1 a day: the integral of
// exp(-(outbreak - onset) t).
double passed(const Outlook& outlook, double days) {
  const double difference = outlook.outbreak_per_day - outlook.onset_per_day;
  return std::abs(difference) < 1e-12 ? days : -std::expm1(-difference * days) / difference;
}

// Calls visit(values of the columns, row) for each row.
template <class Visit>
void each_row(const std::string& path, const std::vector<std::pair<const char*, ColumnType>>& names,
              Visit visit) {
  ParquetReader reader(path);
  std::vector<int> columns;
  for (const auto& [name, type] : names) columns.push_back(reader.require_column(name, {type}));
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) visit(batch.columns, i);
  });
}

}  // namespace

double Outlook::cumulative_hazard(double days) const {
  if (has_begun) return outbreak_per_day * days;
  return onset_per_day * days - std::log1p(onset_per_day * passed(*this, days));
}

double Outlook::log_hazard(double days) const {
  if (has_begun) return std::log(outbreak_per_day);
  const double ended = passed(*this, days);
  return std::log(onset_per_day * outbreak_per_day * ended) - std::log1p(onset_per_day * ended);
}

OutbreakTruth OutbreakTruth::read(const std::string& folder) {
  const std::string hazards = folder + "/hazards.json";
  if (parse_json(read_file(hazards), hazards) != hazards_to_json()) {
    throw DataError({hazards}, "states other hazards than this program's",
                    "make the records anew with `sequela synth`");
  }
  OutbreakTruth truth;
  truth.folder_ = folder;
  truth.read_subjects(folder + "/subjects.parquet");
  truth.read_diseases(folder + "/diseases.parquet");
  return truth;
}

void OutbreakTruth::read_subjects(const std::string& path) {
  each_row(path,
           {{"subject_id", ColumnType::int64},
            {"is_female", ColumnType::boolean},
            {"is_smoker", ColumnType::boolean},
            {"metabolic", ColumnType::float64},
            {"frailty", ColumnType::float64},
            {"birth_time", ColumnType::timestamp}},
           [&](const std::vector<ColumnSlice>& row, int64_t i) {
             Life& life = lives_[row[0].int64s[i]];
             life.birth = to_day(row[5].int64s[i]);
             life.prodrome.fill(kNever);
             life.outbreak.fill(kNever);
             for (int d = 0; d < kNumDiseases; ++d) {
               const DiseaseSpec& disease = kDiseases[d];
               life.log_ratio[d] = (row[1].booleans[i] ? disease.female : 0) +
                                   (row[2].booleans[i] ? disease.smoker : 0) +
                                   disease.metabolic * row[3].doubles[i] +
                                   disease.frailty * row[4].doubles[i];
             }
           });
}

void OutbreakTruth::read_diseases(const std::string& path) {
  each_row(path,
           {{"subject_id", ColumnType::int64},
            {"disease", ColumnType::string},
            {"prodrome_time", ColumnType::timestamp},
            {"outbreak_time", ColumnType::timestamp}},
           [&](const std::vector<ColumnSlice>& row, int64_t i) {
             const auto life = lives_.find(row[0].int64s[i]);
             const auto disease =
                 std::find_if(kDiseases.begin(), kDiseases.end(),
                              [&](const DiseaseSpec& spec) { return row[1].text(i) == spec.key; });
             if (life == lives_.end() || disease == kDiseases.end()) {
               throw DataError({.path = path}, "names a subject or a disease that there is not",
                               "make the records anew with `sequela synth`");
             }
             const size_t d = disease - kDiseases.begin();
             life->second.prodrome[d] = to_day(row[2].int64s[i]);
             if (row[3].is_valid(i)) life->second.outbreak[d] = to_day(row[3].int64s[i]);
           });
}

std::optional<Outlook> OutbreakTruth::outlook(int64_t subject_id, double day,
                                              DiseaseId disease) const {
  const auto found = lives_.find(subject_id);
  if (found == lives_.end()) {
    throw DataError({.path = folder_, .subject_id = subject_id}, "the truth lacks this subject",
                    "give the truth of the records that were prepared");
  }
  const Life& life = found->second;
  if (life.outbreak[disease] <= day) return std::nullopt;
  const DiseaseSpec& spec = kDiseases[disease];
  Outlook outlook;
  outlook.outbreak_per_day = spec.outbreak / kDaysPerYear;
  outlook.has_begun = life.prodrome[disease] <= day;
  // The hazard rises at each birthday, and with each cause that has broken out.
  const double birthdays = std::floor((day - life.birth) / kDaysPerYear);
  double log_ratio = life.log_ratio[disease] + spec.age_slope * (birthdays - 50) / 10;
  for (const DiseaseLink& link : disease_links()) {
    if (link.effect == disease && life.outbreak[link.cause] <= day) log_ratio += link.log_ratio;
  }
  outlook.onset_per_day = spec.base * std::exp(log_ratio) / kDaysPerYear;
  return outlook;
}

std::string code_of_disease(DiseaseId disease) {
  static const SynthVocabulary vocabulary = build_vocabulary();
  const int32_t diagnosis = vocabulary.diseases[disease].diagnoses.front();
  return vocabulary.codes[vocabulary.concepts[diagnosis].parents.front()];
}

}  // namespace sequela
