#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sequela/evaluation/matrix.h"

namespace sequela {

// Age and sex of a cohort row at its prediction time.
struct AgeAndSex {
  double age_days = 0;
  enum class Sex : uint8_t { unknown, female, male } sex = Sex::unknown;
};

// Of a code that tells a subject's sex, as data sets write it: a vocabulary Gender or Sex and a
// value F, M, Female or Male, in any case of letters, with any marks between ("Gender/F",
// "GENDER//M", "MEDS_SEX/female"), or the standard concepts' codes of SNOMED and OMOP. Unknown for
// other codes.
AgeAndSex::Sex sex_of_code(std::string_view code);

// Columns: age in years, its square / 100, female, male, age * female.
DenseMatrix build_age_and_sex_features(std::span<const AgeAndSex> rows);

// Counts of codes up to each row's prediction time, as ln(1 + count). Rows are added in the order
// of the cohort; a row costs time by its events, and memory by its distinct codes, never by all
// codes.
class CountFeatures {
 public:
  // Code ids are in [0, num_codes).
  explicit CountFeatures(int32_t num_codes);

  // One cohort row. `code_ids` are those of the subject's events up to the prediction time;
  // `extra`, if any, are features put after the codes, as many in each row.
  void add_row(std::span<const int32_t> code_ids, std::span<const float> extra = {});

  // All rows so far. Codes that are in fewer than `min_rows` rows are dropped, as nothing can be
  // learned from them; the others keep their order. Extra features come last.
  SparseMatrix build(int64_t min_rows = 5) const;

 private:
  int32_t num_codes_;
  int32_t num_extra_ = 0;
  std::vector<int32_t> counts_;  // by code, all 0 between rows
  std::vector<int32_t> seen_;    // the codes of the row
  std::vector<int64_t> rows_with_;
  SparseMatrix matrix_;
};

}  // namespace sequela
