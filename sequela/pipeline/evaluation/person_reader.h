#pragma once

#include <cstdint>
#include <vector>

#include "sequela/evaluation/baseline.h"
#include "sequela/meds/event_store.h"

namespace sequela {

// Tells age and sex of the histories of a store.
class PersonReader {
 public:
  explicit PersonReader(const EventStore& store);

  // At a time: the age is 0 without a birth, the sex what the last code says that tells one.
  AgeAndSex at(const Subject& history, int64_t time_us) const;

 private:
  std::vector<AgeAndSex::Sex> sexes_;  // by code
};

}  // namespace sequela
