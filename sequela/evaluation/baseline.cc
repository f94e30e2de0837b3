#include "sequela/evaluation/baseline.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sequela/core/time.h"

namespace sequela {
namespace {

// The runs of letters and digits, in small letters.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool is_inside = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0) {
      is_inside = false;
      continue;
    }
    if (!is_inside) words.emplace_back();
    words.back() += static_cast<char>(std::tolower(byte));
    is_inside = true;
  }
  return words;
}

}  // namespace

AgeAndSex::Sex sex_of_code(std::string_view code) {
  using Sex = AgeAndSex::Sex;
  const std::vector<std::string> words = words_of(code);
  if (words.size() < 2) return Sex::unknown;
  const std::string& value = words.back();
  if (words.front() == "snomed") {
    return value == "248152002" ? Sex::female : value == "248153007" ? Sex::male : Sex::unknown;
  }
  const bool is_about_sex = std::any_of(words.begin(), words.end() - 1, [](const auto& word) {
    return word == "gender" || word == "sex";
  });
  if (!is_about_sex) return Sex::unknown;
  if (value == "f" || value == "female" || value == "8532") return Sex::female;
  return value == "m" || value == "male" || value == "8507" ? Sex::male : Sex::unknown;
}

DenseMatrix build_age_and_sex_features(std::span<const AgeAndSex> rows) {
  DenseMatrix matrix{static_cast<int64_t>(rows.size()), 5, {}};
  matrix.values.reserve(rows.size() * 5);
  for (const AgeAndSex& row : rows) {
    const auto age = static_cast<float>(row.age_days / kDaysPerYear);
    const float female = row.sex == AgeAndSex::Sex::female ? 1 : 0;
    const float male = row.sex == AgeAndSex::Sex::male ? 1 : 0;
    matrix.values.insert(matrix.values.end(), {age, age * age / 100, female, male, age * female});
  }
  return matrix;
}

CountFeatures::CountFeatures(int32_t num_codes)
    : num_codes_(num_codes), counts_(num_codes), rows_with_(num_codes) {}

void CountFeatures::add_row(std::span<const int32_t> code_ids, std::span<const float> extra) {
  const auto num_extra = static_cast<int32_t>(extra.size());
  if (matrix_.num_rows > 0 && num_extra != num_extra_) {
    throw std::invalid_argument("each row needs as many extra features");
  }
  num_extra_ = num_extra;
  seen_.clear();
  for (const int32_t code : code_ids) {
    if (code < 0 || code >= num_codes_) throw std::invalid_argument("code id out of range");
    if (counts_[code]++ == 0) seen_.push_back(code);
  }
  std::sort(seen_.begin(), seen_.end());
  for (const int32_t code : seen_) {
    matrix_.columns.push_back(code);
    matrix_.values.push_back(std::log1p(static_cast<float>(counts_[code])));
    ++rows_with_[code];
    counts_[code] = 0;
  }
  for (int32_t i = 0; i < num_extra; ++i) {
    matrix_.columns.push_back(num_codes_ + i);
    matrix_.values.push_back(extra[i]);
  }
  matrix_.row_offsets.push_back(static_cast<int64_t>(matrix_.columns.size()));
  ++matrix_.num_rows;
}

SparseMatrix CountFeatures::build(int64_t min_rows) const {
  std::vector<int32_t> kept_as(num_codes_ + num_extra_, -1);
  SparseMatrix kept;
  for (int32_t column = 0; column < num_codes_ + num_extra_; ++column) {
    if (column >= num_codes_ || rows_with_[column] >= min_rows) {
      kept_as[column] = static_cast<int32_t>(kept.num_columns++);
    }
  }
  kept.num_rows = matrix_.num_rows;
  for (int64_t row = 0; row < matrix_.num_rows; ++row) {
    for (int64_t k = matrix_.row_offsets[row]; k < matrix_.row_offsets[row + 1]; ++k) {
      if (kept_as[matrix_.columns[k]] < 0) continue;
      kept.columns.push_back(kept_as[matrix_.columns[k]]);
      kept.values.push_back(matrix_.values[k]);
    }
    kept.row_offsets.push_back(static_cast<int64_t>(kept.columns.size()));
  }
  return kept;
}

}  // namespace sequela
