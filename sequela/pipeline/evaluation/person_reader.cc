#include "sequela/pipeline/evaluation/person_reader.h"

namespace sequela {

PersonReader::PersonReader(const EventStore& store) {
  for (const std::string& code : store.codes()) sexes_.push_back(sex_of_code(code));
}

AgeAndSex PersonReader::at(const Subject& history, int64_t time_us) const {
  AgeAndSex person;
  if (history.birth_us != kNoTime)
    person.age_days = static_cast<double>(time_us - history.birth_us) / kMicrosPerDay;
  for (int64_t i = 0; i < history.num_events; ++i) {
    const AgeAndSex::Sex sex = sexes_[history.code(i)];
    if (sex != AgeAndSex::Sex::unknown) person.sex = sex;
  }
  return person;
}

}  // namespace sequela
