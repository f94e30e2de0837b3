#include "sequela/label/subject_record.h"

#include <algorithm>

namespace sequela {

void SubjectRecord::clear() {
  num_events = 0;
  times_us.clear();
  events.clear();
  statics.clear();
  is_ordered_ = true;
}

void SubjectRecord::order() {
  if (is_ordered_) return;
  std::ranges::sort(times_us);
  times_us.erase(std::unique(times_us.begin(), times_us.end()), times_us.end());
  std::ranges::stable_sort(events, {}, &MatchedEvent::time_us);
  is_ordered_ = true;
}

}  // namespace sequela
