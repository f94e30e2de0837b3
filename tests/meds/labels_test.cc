#include "sequela/meds/labels.h"

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "tests/meds/support.h"
#include "tests/support/bad_inputs.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

class LabelsOfFemr : public OnReference {};

TEST_P(LabelsOfFemr, ReadsFemrsLabels) {
  const auto labels = read_labels(tutorial_path("labels.parquet"));
  ASSERT_EQ(labels.size(), is_own_reference() ? 80u : 200u);
  int64_t num_true = 0;
  for (const Label& label : labels) num_true += label.value == 1;
  EXPECT_GT(num_true, static_cast<int64_t>(labels.size()) / 3);
  EXPECT_LT(num_true, static_cast<int64_t>(labels.size()) * 2 / 3);
}

TEST_P(LabelsOfFemr, ScalesNanoseconds) {
  const auto labels = read_labels(reference_path("motor/features/labels_multi.parquet"));
  ASSERT_EQ(labels.size(), is_own_reference() ? 240u : 600u);
  for (const Label& label : labels) {
    EXPECT_GT(label.prediction_time_us, -100ll * 366 * kMicrosPerDay);
    EXPECT_LT(label.prediction_time_us, 200ll * 366 * kMicrosPerDay);
  }
}

TEST(Labels, ReadsOddOnesAsTheyAre) {
  BadInputs inputs;
  const auto unknown = read_labels(inputs.path("28_labels_unknown_subjects") + "/labels.parquet");
  ASSERT_EQ(unknown.size(), 20u);
  int num_odd = 0;
  for (const Label& label : unknown) {
    num_odd += label.subject_id == -1 || label.subject_id == int64_t{1} << 62;
  }
  EXPECT_EQ(num_odd, 2);
  const auto early = read_labels(inputs.path("29_labels_before_first_event") + "/labels.parquet");
  int num_early = 0;
  for (const Label& label : early)
    num_early += label.prediction_time_us < -100ll * 365 * kMicrosPerDay;
  EXPECT_EQ(num_early, 10);
}

TEST(Labels, TakesTheValueThatIsThere) {
  TestFolder folder;
  write_parquet(
      folder / "labels.parquet",
      {{.name = "subject_id", .values = std::vector<int64_t>{1, 2, 3}},
       {.name = "prediction_time", .values = std::vector<int64_t>{5, 6, 7}, .is_timestamp = true},
       {.name = "boolean_value", .values = std::vector<uint8_t>{1, 0, 0}, .valid = {1, 0, 0}},
       {.name = "float_value", .values = std::vector<double>{0, 2.5, 0}, .valid = {0, 1, 0}},
       {.name = "categorical_value",
        .values = std::vector<std::string>{"", "", "late"},
        .valid = {0, 0, 1}}});
  const auto labels = read_labels(folder / "labels.parquet");
  ASSERT_EQ(labels.size(), 3u);
  EXPECT_EQ(labels[0].value, 1);
  EXPECT_EQ(labels[1].value, 2.5);
  EXPECT_TRUE(std::isnan(labels[2].value));
  EXPECT_EQ(labels[2].category, "late");
  EXPECT_EQ(labels[2].prediction_time_us, 7);
}

TEST(Labels, RefusesNullsAndMissingColumns) {
  TestFolder folder;
  write_parquet(
      folder / "a.parquet",
      {{.name = "subject_id", .values = std::vector<int64_t>{1, 2}, .valid = {1, 0}},
       {.name = "prediction_time", .values = std::vector<int64_t>{5, 6}, .is_timestamp = true}});
  try {
    read_labels(folder / "a.parquet");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().row, 1);
    EXPECT_EQ(error.where().column, "subject_id");
  }
  write_parquet(folder / "b.parquet",
                {{.name = "subject_id", .values = std::vector<int64_t>{1, 2}}});
  EXPECT_THROW(read_labels(folder / "b.parquet"), DataError);
}

TEST(Dataset, FindsItsPartsAndFingerprintsThem) {
  const TestFolder meds;
  write_visit_records(meds.path(), {.num_shards = 3});
  const Dataset dataset = find_dataset(meds.path());
  EXPECT_EQ(dataset.kind, DatasetKind::parquet);
  EXPECT_EQ(dataset.shards.size(), 3u);
  ASSERT_TRUE(dataset.codes_path && dataset.info_path && dataset.splits_path);
  const auto fingerprints = fingerprint_dataset(dataset);
  ASSERT_EQ(fingerprints.size(), 6u);
  EXPECT_EQ(fingerprints[0].name, "data/0.parquet");
  EXPECT_NE(fingerprints[0].fingerprint, fingerprints[1].fingerprint);
  EXPECT_EQ(read_subject_splits(*dataset.splits_path).size(), 28u);
  const Dataset database = find_dataset(reference_path("motor/g60/meds_reader"));
  EXPECT_EQ(database.kind, DatasetKind::reader_database);
  EXPECT_GT(fingerprint_dataset(database).size(), 10u);
}

SEQUELA_ON_REFERENCES(LabelsOfFemr);

}  // namespace
}  // namespace sequela
