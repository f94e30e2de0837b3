#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sequela/synth/diseases.h"

namespace sequela {

// What is ahead of a person whose planted disease has not broken out, if their hazards stay as they
// are now: the latent state is held as in label_probabilities.parquet (course.h), so birthdays and
// other diseases to come do not count.
struct Outlook {
  double onset_per_day = 0;  // of the prodrome, before it; not used once it began
  double outbreak_per_day = 0;
  bool has_begun = false;

  double cumulative_hazard(double days) const;  // -ln P(no outbreak within `days`)
  double log_hazard(double days) const;         // ln of the hazard per day then; days > 0
};

// The latent states that synth wrote into a truth folder.
class OutbreakTruth {
 public:
  // DataError if a file is damaged or was made by other hazards than this program's.
  static OutbreakTruth read(const std::string& folder);

  // nullopt once the disease has broken out. DataError for an unknown subject.
  std::optional<Outlook> outlook(int64_t subject_id, double day, DiseaseId disease) const;

 private:
  struct Life {
    double birth = 0;                            // day
    std::array<double, kNumDiseases> log_ratio;  // of each prodrome's hazard, but for age and links
    std::array<double, kNumDiseases> prodrome, outbreak;  // days, infinite = never
  };
  void read_subjects(const std::string& path);
  void read_diseases(const std::string& path);

  std::string folder_;
  std::unordered_map<int64_t, Life> lives_;
};

// The code that stands for a planted disease and nothing else: each diagnosis of it is below.
std::string code_of_disease(DiseaseId disease);

}  // namespace sequela
