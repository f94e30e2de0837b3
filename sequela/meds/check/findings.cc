#include "sequela/meds/check/findings.h"

#include <algorithm>

namespace sequela {
namespace {

constexpr size_t kMaxPlaces = 3;

}  // namespace

void MedsFindings::add(FindingWeight weight, const std::string& what, const std::string& place,
                       int64_t count) {
  if (count == 0) return;
  MedsFinding& finding = all_[what];
  finding.what = what;
  finding.is_fault = weight == FindingWeight::fault;
  finding.count += count;
  if (finding.places.size() < kMaxPlaces && !place.empty()) finding.places.push_back(place);
}

void MedsFindings::add(const MedsFindings& other) {
  for (const auto& [what, finding] : other.all_) {
    MedsFinding& own = all_[what];
    const int64_t count = own.count + finding.count;
    std::vector<std::string> places = own.places;
    places.insert(places.end(), finding.places.begin(), finding.places.end());
    if (places.size() > kMaxPlaces) places.resize(kMaxPlaces);
    own = {finding.is_fault, what, count, places};
  }
}

std::vector<MedsFinding> MedsFindings::list() const {
  std::vector<MedsFinding> list;
  for (const auto& [what, finding] : all_) list.push_back(finding);
  std::ranges::stable_sort(list,
                           [](const auto& a, const auto& b) { return a.is_fault > b.is_fault; });
  return list;
}

}  // namespace sequela
