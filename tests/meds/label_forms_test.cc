// The forms in which people keep labels.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/labels.h"
#include "tests/support/arrow_tables.h"
#include "tests/support/packed_files.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

using Integers = std::vector<std::optional<int64_t>>;
using Texts = std::vector<std::string>;

// "subject time value category", a line each.
Texts lines_of(const std::vector<Label>& labels) {
  Texts lines;
  for (const Label& label : labels) {
    lines.push_back(str(label.subject_id, " ", to_text(label.prediction_time_us), " ",
                        std::isnan(label.value) ? "none" : str(label.value), label.category));
  }
  return lines;
}

void write_labels(const std::string& path, const Integers& subjects, const Integers& times_us) {
  write_arrow(path, {{"subject_id", build(arrow::Int64Builder(), subjects)},
                     {"prediction_time", times(arrow::TimeUnit::MICRO, "", times_us)}});
}

Texts read_csv(const std::string& content, ZoneRule rule = ZoneRule::utc) {
  TestFolder folder;
  write_file(folder / "labels.csv", content);
  return lines_of(read_labels(folder / "labels.csv", rule));
}

TEST(LabelForms, AFolderOfShardsIsOneTableInTheOrderOfPaths) {
  TestFolder folder;
  std::filesystem::create_directories(folder / "train");
  std::filesystem::create_directories(folder / "held_out/_old");
  write_labels(folder / "train/0.parquet", {1, 2}, {0, 1'000'000});
  write_labels(folder / "train/1.parquet", {3}, {2'000'000});
  write_labels(folder / "held_out/0.parquet", {4}, {3'000'000});
  write_labels(folder / "held_out/_old/0.parquet", {5}, {0});
  write_arrow(folder / "train/2.parquet", {{"subject_id", std::make_shared<arrow::NullArray>(0)}});
  EXPECT_EQ(lines_of(read_labels(folder.path())),
            (Texts{"4 1970-01-01 00:00:03 none", "1 1970-01-01 00:00:00 none",
                   "2 1970-01-01 00:00:01 none", "3 1970-01-01 00:00:02 none"}));
}

TEST(LabelForms, AFolderOfCsvFilesToo) {
  TestFolder folder;
  write_file(folder / "b.csv", "subject_id,prediction_time\n2,2020-01-02\n");
  write_file(folder / "a.csv.gz", gzipped("subject_id,prediction_time\n1,2020-01-01\n"));
  EXPECT_EQ(lines_of(read_labels(folder.path())),
            (Texts{"1 2020-01-01 00:00:00 none", "2 2020-01-02 00:00:00 none"}));
}

TEST(LabelForms, AFolderWithoutLabelsIsRefused) {
  TestFolder folder;
  try {
    read_labels(folder.path());
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find(folder.path()), std::string::npos);
  }
  EXPECT_THROW(read_labels(folder / "none.parquet"), DataError);
}

TEST(LabelForms, CsvByTheNamesOfItsColumns) {
  const Texts wanted = {"7 2019-02-07 09:00:00 1", "8 2019-02-08 09:30:00.500000 0",
                        "9 2019-02-09 00:00:00 none"};
  EXPECT_EQ(read_csv("subject_id,prediction_time,boolean_value\n"
                     "7,2019-02-07 09:00:00.000000,true\n8,2019-02-08T09:30:00.5,false\n"
                     "9,2019-02-09,\n"),
            wanted);
  EXPECT_EQ(read_csv("\xef\xbb\xbf"
                     "Value;PREDICTION_TIME;Patient_ID\r\n"
                     "True;2019-02-07 09:00;7\r\nFalse;2019-02-08 09:30:00.500;8\r\n"
                     ";2019-02-09;9\r\n"),
            wanted);
  EXPECT_EQ(
      read_csv("\"subject_id\"\t\"prediction_time\"\t\"integer_value\"\n"
               "7\t\"2019-02-07 09:00:00\"\t1\n8\t2019-02-08 09:30:00.5\t0\n9\t2019-02-09\t\n"),
      wanted);
  EXPECT_EQ(read_csv("subject_id,prediction_time,float_value,categorical_value\n"
                     "1,2020-01-01,0.25,\n2,2020-01-01,,late\n"),
            (Texts{"1 2020-01-01 00:00:00 0.25", "2 2020-01-01 00:00:00 nonelate"}));
}

TEST(LabelForms, TimesOfCsvWithAnOffset) {
  const std::string content = "subject_id,prediction_time\n1,2020-01-01 10:00:00+02:00\n";
  EXPECT_EQ(read_csv(content), Texts{"1 2020-01-01 08:00:00 none"});
  EXPECT_EQ(read_csv(content, ZoneRule::local), Texts{"1 2020-01-01 10:00:00 none"});
}

void expect_refused(const std::string& content, const std::string& column, int64_t row) {
  try {
    read_csv(content);
    FAIL() << content;
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().column, column);
    EXPECT_EQ(error.where().row, row);
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("Fix: "), std::string::npos);
  }
}

TEST(LabelForms, BadRowsOfCsvAreNamedAndNotRepeated) {
  const std::string header = "subject_id,prediction_time,boolean_value\n1,2020-01-01,1\n";
  expect_refused(header + "secret,2020-01-01,1\n", "subject_id", 1);
  expect_refused(header + ",2020-01-01,1\n", "subject_id", 1);
  expect_refused(header + "1,secret,1\n", "prediction_time", 1);
  expect_refused(header + "1,,1\n", "prediction_time", 1);
  expect_refused(header + "1,2020-01-01,secret\n", "boolean_value", 1);
  expect_refused("subject_id,boolean_value\n1,1\n", "prediction_time", -1);
  expect_refused("prediction_time,boolean_value\n2020-01-01,1\n", "subject_id", -1);
  expect_refused("subject_id,prediction_time,prediction_time\n1,2020-01-01,2020-01-01\n",
                 "prediction_time", -1);
}

TEST(LabelForms, TimesOfEveryKind) {
  TestFolder folder;
  const std::string path = folder / "labels.parquet";
  const auto subject = build(arrow::Int32Builder(), std::vector<std::optional<int32_t>>{1});
  const auto read = [&](const std::shared_ptr<arrow::Array>& when, ZoneRule rule = ZoneRule::utc) {
    write_arrow(path, {{"subject_id", subject}, {"prediction_time", when}});
    return lines_of(read_labels(path, rule)).at(0);
  };
  EXPECT_EQ(read(build(arrow::Date32Builder(), std::vector<std::optional<int32_t>>{18'262})),
            "1 2020-01-01 00:00:00 none");
  EXPECT_EQ(read(texts({"2020-01-01 12:00:00"})), "1 2020-01-01 12:00:00 none");
  const auto zoned = times(arrow::TimeUnit::SECOND, "America/New_York", {1'577'836'800});
  EXPECT_EQ(read(zoned), "1 2020-01-01 00:00:00 none");
  EXPECT_EQ(read(zoned, ZoneRule::local), "1 2019-12-31 19:00:00 none");
  EXPECT_THROW(read(texts({"secret"})), DataError);
  EXPECT_THROW(read(build(arrow::Int64Builder(), Integers{5})), DataError);
}

TEST(LabelForms, ValuesOfOtherTypesAndOfNone) {
  TestFolder folder;
  const std::string path = folder / "labels.parquet";
  write_arrow(path, {{"subject_id", build(arrow::Int64Builder(), Integers{1, 2})},
                     {"prediction_time", times(arrow::TimeUnit::MICRO, "", {0, 0})},
                     {"boolean_value", build(arrow::Int64Builder(), Integers{1, 0})},
                     {"integer_value", std::make_shared<arrow::NullArray>(2)},
                     {"categorical_value", std::make_shared<arrow::NullArray>(2)}});
  EXPECT_EQ(lines_of(read_labels(path)),
            (Texts{"1 1970-01-01 00:00:00 1", "2 1970-01-01 00:00:00 0"}));
}

}  // namespace
}  // namespace sequela
