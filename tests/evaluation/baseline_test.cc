#include "sequela/evaluation/baseline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/evaluation/feature_rows.h"
#include "sequela/io/parquet.h"
#include "tests/support/files.h"

namespace sequela {
namespace {

TEST(Baseline, AgeAndSex) {
  const std::vector<AgeAndSex> people = {{36525, AgeAndSex::Sex::female},
                                         {3652.5, AgeAndSex::Sex::male}};
  const DenseMatrix features = build_age_and_sex_features(people);
  ASSERT_EQ(features.num_rows, 2);
  EXPECT_EQ(features.values, (std::vector<float>{100, 100, 1, 0, 100, 10, 1, 0, 1, 0}));
}

TEST(Baseline, CountsCodes) {
  CountFeatures counts(6);
  const std::vector<int32_t> first = {4, 1, 4, 4}, second = {1}, third = {};
  const std::vector<float> extra = {0.5f};
  counts.add_row(first, extra);
  counts.add_row(second, extra);
  counts.add_row(third, extra);
  const SparseMatrix all = counts.build(1);
  EXPECT_EQ(all.num_rows, 3);
  EXPECT_EQ(all.num_columns, 3);  // codes 1 and 4, and the extra feature
  EXPECT_EQ(all.row_offsets, (std::vector<int64_t>{0, 3, 5, 6}));
  EXPECT_EQ(all.columns, (std::vector<int32_t>{0, 1, 2, 0, 2, 2}));
  EXPECT_FLOAT_EQ(all.values[1], std::log(4.0f));
  const SparseMatrix common = counts.build(2);
  EXPECT_EQ(common.num_columns, 2);
  EXPECT_EQ(common.columns, (std::vector<int32_t>{0, 1, 0, 1, 1}));
}

TEST(Baseline, RefusesCodesOutOfRange) {
  CountFeatures counts(3);
  EXPECT_THROW(counts.add_row(std::vector<int32_t>{3}), std::invalid_argument);
  EXPECT_THROW(counts.add_row(std::vector<int32_t>{-1}), std::invalid_argument);
}

TEST(FeatureRows, ReadsWhatWasWritten) {
  const std::string path = temporary_path("features.parquet");
  write_parquet(
      path,
      {{.name = "subject_id", .values = std::vector<int64_t>{7, 9}},
       {.name = "prediction_time", .values = std::vector<int64_t>{5, 6}, .is_timestamp = true},
       {.name = "embedding",
        .values = std::vector<float>{1, 2, 3, 4, 5, 6},
        .fixed_list_size = 3}});
  const FeatureRows rows = read_feature_rows(path);
  EXPECT_EQ(rows.subject_ids, (std::vector<int64_t>{7, 9}));
  EXPECT_EQ(rows.prediction_times_us, (std::vector<int64_t>{5, 6}));
  EXPECT_EQ(rows.embeddings.num_columns, 3);
  EXPECT_EQ(rows.embeddings.values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(FeatureRows, NamesWhatIsMissing) {
  const std::string path = temporary_path("no_features.parquet");
  write_parquet(path, {{.name = "subject_id", .values = std::vector<int64_t>{7}}});
  EXPECT_THROW(read_feature_rows(path), DataError);
}

TEST(SexOfCode, KnowsTheWaysOfDataSets) {
  using Sex = AgeAndSex::Sex;
  for (const char* code : {"Gender/F", "GENDER//F", "gender|female", "MEDS_SEX//Female", "SEX:f",
                           "Gender/8532", "SNOMED/248152002", "PATIENT//GENDER//F"}) {
    EXPECT_EQ(sex_of_code(code), Sex::female) << code;
  }
  for (const char* code :
       {"Gender/M", "GENDER//M", "Sex/male", "gender_m", "OMOP_GENDER/8507", "SNOMED/248153007"}) {
    EXPECT_EQ(sex_of_code(code), Sex::male) << code;
  }
  for (const char* code :
       {"GENDER//UNKNOWN", "GENDER", "F", "LAB//F", "SNOMED/1", "", "Gender/", "M//GENDER"}) {
    EXPECT_EQ(sex_of_code(code), Sex::unknown) << code;
  }
}

}  // namespace
}  // namespace sequela
