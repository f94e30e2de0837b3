#include "sequela/meds/predictions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/subgroups.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

const TableColumn kSubjects{.name = "subject_id", .values = std::vector<int64_t>{2, 1, 1}};
const TableColumn kTimes{
    .name = "prediction_time", .values = std::vector<int64_t>{50, 70, 60}, .is_timestamp = true};
const TableColumn kScores{.name = "predicted_boolean_probability",
                          .values = std::vector<float>{0.25f, 0.5f, 1.0f}};

// What a reader says of a table.
template <class Read>
std::string error_of(Read read, const Table& table) {
  const TestFolder folder;
  const std::string path = folder / "table.parquet";
  write_parquet(path, table);
  try {
    read(path, ZoneRule::utc);
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().path, path);
    EXPECT_NE(std::string(error.what()).find("Fix: "), std::string::npos) << error.what();
    return error.what();
  }
  return "";
}

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(Predictions, AreReadInTheOrderOfTheirKeys) {
  const TestFolder folder;
  const TableColumn outcomes{
      .name = "boolean_value", .values = std::vector<uint8_t>{1, 0, 1}, .valid = {1, 1, 0}};
  write_parquet(folder / "a.parquet", {kTimes, kSubjects, outcomes, kScores});
  const auto rows = read_predictions(folder / "a.parquet");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].key, (PredictionKey{1, 60}));
  EXPECT_EQ(rows[1].key, (PredictionKey{1, 70}));
  EXPECT_EQ(rows[2].key, (PredictionKey{2, 50}));
  EXPECT_TRUE(std::isnan(rows[0].outcome));
  EXPECT_EQ(rows[1].outcome, 0);
  EXPECT_EQ(rows[2].outcome, 1);
  EXPECT_EQ(rows[1].probability, 0.5);
}

TEST(Predictions, OfAFolderAreOneTable) {
  const TestFolder folder;
  write_parquet(folder / "0.parquet", {kSubjects, kTimes, kScores});
  EXPECT_EQ(read_predictions(folder.path()).size(), 3u);
  write_parquet(folder / "1.parquet", {kSubjects, kTimes, kScores});
  try {
    read_predictions(folder.path());
    FAIL();
  } catch (const DataError& error) {
    expect_part(error.what(), "1.parquet: row 2: the same subject and time as row 2 of ");
  }
}

TEST(Predictions, SayWhatIsWrongAndWhere) {
  const auto error = [](const Table& table) { return error_of(read_predictions, table); };
  expect_part(error({kSubjects, kTimes}), "column 'predicted_boolean_probability': no such column");
  expect_part(error({kSubjects, kScores}), "column 'prediction_time'");
  TableColumn scores = kScores;
  scores.valid = {1, 0, 1};
  expect_part(error({kSubjects, kTimes, scores}),
              "row 1: column 'predicted_boolean_probability': null");
  scores.valid.clear();
  for (const float bad : {-0.01f, 1.01f, std::nanf("")}) {
    scores.values = std::vector<float>{0, 1, bad};
    expect_part(error({kSubjects, kTimes, scores}),
                "row 2: column 'predicted_boolean_probability': outside [0, 1]");
  }
  TableColumn times = kTimes;
  times.values = std::vector<int64_t>{50, 60, 60};
  expect_part(error({kSubjects, times, kScores}), "row 2: the same subject and time as row 1");
}

TEST(Subgroups, DealRowsByTextTruthNumberAndAge) {
  const TestFolder folder;
  write_parquet(
      folder / "groups.parquet",
      {kSubjects,
       kTimes,
       {.name = "sex", .values = std::vector<std::string>{"M", "F", ""}, .valid = {1, 1, 0}},
       {.name = "is_icu", .values = std::vector<uint8_t>{0, 1, 1}},
       {.name = "site", .values = std::vector<int64_t>{12, 7, 12}},
       {.name = "age", .values = std::vector<double>{17.9, 18, 93.5}}});
  const SubgroupTable table = read_subgroups(folder / "groups.parquet");
  ASSERT_EQ(table.columns.size(), 4u);
  EXPECT_TRUE(table.has_times);
  EXPECT_EQ(table.find({1, 70}), 1);
  EXPECT_EQ(table.find({1, 71}), -1);
  const auto group = [&](size_t column, PredictionKey key) -> std::string {
    const auto& made = table.columns[column];
    const int32_t value = made.value_of[table.find(key)];
    return value < 0 ? "none" : made.values[value];
  };
  EXPECT_EQ(group(0, {2, 50}), "M");
  EXPECT_EQ(group(0, {1, 60}), "none");
  EXPECT_EQ(group(1, {1, 70}), "true");
  EXPECT_EQ(group(2, {1, 70}), "7");
  EXPECT_EQ(group(3, {2, 50}), "0-17");
  EXPECT_EQ(group(3, {1, 70}), "18-39");
  EXPECT_EQ(group(3, {1, 60}), "80 and over");
}

TEST(Subgroups, OfSubjectsHoldAtAnyTime) {
  const TestFolder folder;
  write_parquet(folder / "groups.parquet",
                {{.name = "subject_id", .values = std::vector<int64_t>{3, 1}},
                 {.name = "sex", .values = std::vector<std::string>{"M", "F"}}});
  const SubgroupTable table = read_subgroups(folder / "groups.parquet");
  EXPECT_FALSE(table.has_times);
  EXPECT_EQ(table.find({1, 123}), 0);
  EXPECT_EQ(table.columns[0].values[table.columns[0].value_of[0]], "F");
}

TEST(Subgroups, SayWhatIsWrongAndWhere) {
  const auto error = [](const Table& table) { return error_of(read_subgroups, table); };
  expect_part(error({kSubjects, kTimes}), "no column of groups");
  expect_part(
      error({kSubjects, {.name = "sex", .values = std::vector<std::string>{"M", "F", "F"}}}),
      "row 2: the same subject as row 1");
  expect_part(
      error({kSubjects, kTimes, {.name = "weight", .values = std::vector<double>{1, 2, 3}}}),
      "column 'weight': has type double");
  std::vector<int64_t> ids;
  std::vector<std::string> names;
  for (int i = 0; i < 21; ++i) {
    ids.push_back(i);
    names.push_back(std::to_string(i));
  }
  expect_part(error({{.name = "subject_id", .values = ids}, {.name = "ward", .values = names}}),
              "column 'ward': more than 20 values");
}

}  // namespace
}  // namespace sequela
