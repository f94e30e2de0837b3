#pragma once

#include <map>
#include <string>
#include <vector>

#include "sequela/meds/check_dataset.h"

namespace sequela {

enum class FindingWeight { fault, look };

// Findings by what they are.
class MedsFindings {
 public:
  // `place` is one of them; empty = none.
  void add(FindingWeight weight, const std::string& what, const std::string& place,
           int64_t count = 1);
  void add(const MedsFindings& other);
  // Faults first, then by name.
  std::vector<MedsFinding> list() const;

 private:
  std::map<std::string, MedsFinding> all_;
};

}  // namespace sequela
