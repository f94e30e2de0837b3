#include "sequela/pipeline/evaluation/subject_parts.h"

#include <gtest/gtest.h>

#include "tests/pipeline/made_up_cohort.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

TEST(SubjectParts, ASubjectHasAPartUnlessLabelsAreDealt) {
  const TestFolder folder;
  MadeUpCohort cohort(5);
  for (MadeUpCohort::LabelRow& label : cohort.labels) label.split = "train";
  cohort.write(folder / "data");
  const PredictionKey label{cohort.labels[4].subject, cohort.labels[4].time_us};

  const SubjectParts by_subject(folder / "data/meds", "", 1);
  EXPECT_FALSE(by_subject.deals_labels());
  EXPECT_EQ(by_subject.of(label), SplitPart::held_out);
  EXPECT_EQ(by_subject.of_subject(label.subject_id), SplitPart::held_out);

  const SubjectParts by_label(folder / "data/meds", folder / "data/splits.parquet", 1);
  EXPECT_TRUE(by_label.deals_labels());
  EXPECT_EQ(by_label.of(label), SplitPart::train);
  EXPECT_FALSE(by_label.of({label.subject_id, label.prediction_time_us + 1}).has_value());
  EXPECT_FALSE(by_label.of_subject(label.subject_id).has_value());
}

}  // namespace
}  // namespace sequela
