#include "sequela/label/task.h"

namespace sequela {

bool ValueRange::contains(float number) const {
  if (min) {
    const float bound = static_cast<float>(*min);
    if (!(is_min_inclusive ? number >= bound : number > bound)) return false;
  }
  if (max) {
    const float bound = static_cast<float>(*max);
    if (!(is_max_inclusive ? number <= bound : number < bound)) return false;
  }
  return number == number;
}

const char* to_text(LabelAs as) {
  switch (as) {
    case LabelAs::present:
      return "present";
    case LabelAs::absent:
      return "absent";
    case LabelAs::count:
      return "count";
    case LabelAs::first:
      return "first";
    case LabelAs::last:
      return "last";
    case LabelAs::min:
      return "min";
    case LabelAs::max:
      return "max";
    case LabelAs::mean:
      return "mean";
    case LabelAs::code:
      return "code";
    case LabelAs::time_to_event:
      return "time_to_event";
  }
  return "";
}

}  // namespace sequela
