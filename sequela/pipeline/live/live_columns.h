#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/pipeline/live/live_scorer.h"

namespace sequela {

// Events of many patients in columns, as a table holds them; n = events. Of a code or text that
// comes often only the number comes often.
struct LiveColumns {
  std::span<const int64_t> subject_ids_n;
  std::span<const int64_t> times_us_n;  // kNoTime = static
  std::span<const int32_t> codes_n;     // indices into `codes`
  std::vector<std::string> codes;
  std::span<const float> numbers_n;        // numeric_value
  std::span<const uint8_t> has_numbers_n;  // 0 = none
  std::span<const int32_t> texts_n;        // text_value: indices into `texts`, -1 = none
  std::vector<std::string> texts;
};

// What is known of each patient after the last of some events; S = patients, H = hidden size,
// C = tasks. Rows of a patient without any token are NaN.
struct LiveAnswers {
  std::vector<int64_t> subject_ids_S;  // in the order of their first event
  std::vector<float> embeddings_SH;
  std::vector<float> risks_SC;
};

// LiveScorer::add of columns. std::invalid_argument for columns of unequal length, or an index out
// of range.
LiveAnswers add_columns(LiveScorer& scorer, const LiveColumns& columns);

}  // namespace sequela
