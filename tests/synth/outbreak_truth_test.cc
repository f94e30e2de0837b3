#include "sequela/synth/outbreak_truth.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/synth/synth.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

// Two stages one after the other, stepped through a day's thousandths.
double survival_by_steps(const Outlook& outlook, double days) {
  constexpr double kStep = 1e-3;
  double healthy = outlook.has_begun ? 0 : 1, prodrome = 1 - healthy;
  for (double day = 0; day < days - kStep / 2; day += kStep) {
    const double begun = healthy * outlook.onset_per_day * kStep;
    prodrome += begun - prodrome * outlook.outbreak_per_day * kStep;
    healthy -= begun;
  }
  return healthy + prodrome;
}

TEST(Outlook, EqualsTheTwoStagesSteppedThrough) {
  for (const Outlook& outlook : {Outlook{0.02, 0.05, false}, Outlook{0.05, 0.02, false},
                                 Outlook{0.03, 0.03, false}, Outlook{0.02, 0.05, true}}) {
    for (double days : {1.0, 10.0, 90.0}) {
      EXPECT_NEAR(std::exp(-outlook.cumulative_hazard(days)), survival_by_steps(outlook, days),
                  1e-4);
      const double slope =
          (outlook.cumulative_hazard(days + 1e-4) - outlook.cumulative_hazard(days - 1e-4)) / 2e-4;
      EXPECT_NEAR(std::exp(outlook.log_hazard(days)), slope, 1e-6 * (1 + slope));
    }
  }
  const Outlook rare{1e-9, 1e-3, false};  // 1 - P is lost in rounding, its logarithm is not
  EXPECT_NEAR(rare.cumulative_hazard(10) / (1e-9 * 1e-3 * 100 / 2), 1, 1e-2);
}

class Truth : public testing::Test {
 protected:
  void SetUp() override {
    SynthOptions options;
    options.num_subjects = 600;
    options.folder = folder_ / "records";
    synth(options);
  }
  TestFolder folder_;
};

// The labels' own probabilities, which hold the state fixed too, differ by the deaths alone.
TEST_F(Truth, EqualsTheLabelsProbabilitiesButForDeath) {
  const OutbreakTruth truth = OutbreakTruth::read(folder_ / "records/truth");
  ParquetReader reader(folder_ / "records/truth/label_probabilities.parquet");
  const std::vector<int> columns = {
      reader.require_column("subject_id", {ColumnType::int64}),
      reader.require_column("prediction_time", {ColumnType::timestamp}),
      reader.require_column("task", {ColumnType::string}),
      reader.require_column("probability", {ColumnType::float32})};
  int64_t num_labels = 0, num_close = 0;
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      if (batch.columns[2].text(i) != "chronic_onset_1y") continue;
      const double day = static_cast<double>(batch.columns[1].int64s[i]) / kMicrosPerDay;
      const auto outlook = truth.outlook(batch.columns[0].int64s[i], day + 1e-3, kOnsetTaskDisease);
      if (!outlook) continue;
      ++num_labels;
      const double probability = -std::expm1(-outlook->cumulative_hazard(365));
      const double ratio = batch.columns[3].floats[i] / probability;
      num_close += ratio > 0.85 && ratio < 1.0001;
    }
  });
  ASSERT_GT(num_labels, 100);
  EXPECT_GT(static_cast<double>(num_close), 0.97 * static_cast<double>(num_labels));
}

TEST_F(Truth, IsRefusedIfItIsNotOfTheseRecordsOrThisProgram) {
  const std::string folder = folder_ / "records/truth";
  EXPECT_THROW(OutbreakTruth::read(folder).outlook(601, 19'000, kStroke), DataError);
  EXPECT_THROW(OutbreakTruth::read(folder_ / "none"), FileError);
  std::string hazards = read_file(folder + "/hazards.json");
  const size_t place = hazards.find("\"base\": 0.");
  ASSERT_NE(place, std::string::npos);
  hazards[place + 10] = hazards[place + 10] == '9' ? '8' : '9';
  write_file(folder + "/hazards.json", hazards);
  EXPECT_THROW(OutbreakTruth::read(folder), DataError);
}

TEST(DiseaseCode, IsOneOfItsOwn) {
  const std::string stroke = code_of_disease(kStroke);
  EXPECT_EQ(stroke.substr(0, 7), "SNOMED/");
  EXPECT_NE(stroke, code_of_disease(kAsthma));
}

}  // namespace
}  // namespace sequela
