#include "sequela/pipeline/option_words.h"

namespace sequela {

const char* name_of(Pooling pooling) {
  switch (pooling) {
    case Pooling::mean:
      return "mean";
    case Pooling::cls:
      return "cls";
    case Pooling::max:
      return "max";
  }
  return "";
}

const char* name_of(VisitRule rule) {
  switch (rule) {
    case VisitRule::hybrid:
      return "hybrid";
    case VisitRule::encounter:
      return "encounter";
    case VisitRule::day:
      return "day";
    case VisitRule::hours_window:
      return "hours";
  }
  return "";
}

const char* name_of(TimeTokens scheme) {
  switch (scheme) {
    case TimeTokens::cehr_bert:
      return "cehr_bert";
    case TimeTokens::day:
      return "day";
    case TimeTokens::week:
      return "week";
    case TimeTokens::month:
      return "month";
    case TimeTokens::mix:
      return "mix";
    case TimeTokens::none:
      return "none";
  }
  return "";
}

}  // namespace sequela
