#include "sequela/pipeline/label.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/labels.h"
#include "tests/support/manifest_of.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// Whether a stay follows a visit within 90 days.
constexpr const char* kTask = R"yaml(predicates:
  visit: {code: {any: [Visit/OP, Visit/IP]}}
  stay: {code: Visit/IP}
trigger: visit
windows:
  input: {start: NULL, end: trigger, start_inclusive: true, end_inclusive: true, index_timestamp: end}
  next: {start: trigger, end: start + 90 days, start_inclusive: false, end_inclusive: true,
         has: {_ANY_EVENT: "(1, None)"}, label: stay}
)yaml";

class LabelData : public testing::Test {
 protected:
  void SetUp() override {
    write_visit_records(folder_ / "meds", {.num_subjects = 30, .num_shards = 3});
    write_file(folder_ / "task.yaml", kTask);
  }
  LabelOptions options(const std::string& out) const {
    return {.meds = folder_ / "meds", .task = folder_ / "task.yaml", .out = folder_ / out};
  }
  Json cohort(const std::string& out) const {
    const std::string path = folder_ / out + "/cohort.json";
    return parse_json(read_file(path), path);
  }
  TestFolder folder_;
};

std::vector<std::string> sorted_rows(const std::string& labels) {
  std::vector<std::string> rows;
  for (const Label& label : read_labels(labels)) {
    rows.push_back(str(label.subject_id, " ", label.prediction_time_us, " ", label.value));
  }
  std::ranges::sort(rows);
  return rows;
}

TEST_F(LabelData, WritesAFileForEachShard) {
  const LabelReport report = make_labels(options("labels"));
  const auto labels = read_labels(folder_ / "labels");
  ASSERT_EQ(std::ssize(labels), report.num_labels);
  EXPECT_EQ(report.num_true + report.num_false, report.num_labels);
  EXPECT_GT(report.num_true, 30);
  EXPECT_GT(report.num_false, 50);
  EXPECT_EQ(report.emptied_by, "");
  for (int shard = 0; shard < 3; ++shard) {
    for (const Label& label : read_labels(folder_ / "labels" + str("/", shard, ".parquet"))) {
      EXPECT_EQ((label.subject_id - 1) * 3 / 30, shard);
    }
  }
  const Json json = cohort("labels");
  EXPECT_EQ(json["subjects"], 30);
  EXPECT_EQ(json["trigger"]["events"], 30 * 40);
  EXPECT_EQ(json["labels"]["rows"], report.num_labels);
  EXPECT_EQ(json["steps"].back()["after"], report.num_labels);
  const ParquetReader reader(folder_ / "labels/0.parquet");
  std::vector<std::string> columns;
  for (const ColumnInfo& column : reader.columns()) columns.push_back(column.name);
  EXPECT_EQ(columns,
            (std::vector<std::string>{"subject_id", "prediction_time", "boolean_value",
                                      "integer_value", "float_value", "categorical_value"}));
}

TEST_F(LabelData, ThreadsChangeNoByte) {
  make_labels(options("one"));
  LabelOptions many = options("many");
  many.num_threads = 3;
  make_labels(many);
  for (const char* file : {"/0.parquet", "/1.parquet", "/2.parquet", "/cohort.json"}) {
    EXPECT_EQ(read_file(folder_ / "one" + file), read_file(folder_ / "many" + file)) << file;
  }
}

TEST_F(LabelData, FinishedWorkIsKeptAndOldWorkRemoved) {
  make_labels(options("labels"));
  EXPECT_EQ(artifact_of(folder_ / "labels", "label").at("files").size(), 4u);
  EXPECT_TRUE(make_labels(options("labels")).is_up_to_date);
  LabelOptions exact = options("labels");
  exact.mode = AcesMode::exact;
  EXPECT_FALSE(make_labels(exact).is_up_to_date);
  write_visit_records(folder_ / "meds", {.num_subjects = 30, .num_shards = 2});
  fs::remove(folder_ / "meds/data/2.parquet");
  EXPECT_FALSE(make_labels(options("labels")).is_up_to_date);
  EXPECT_FALSE(fs::exists(folder_ / "labels/2.parquet"));
  EXPECT_TRUE(fs::exists(folder_ / "labels/1.parquet"));
}

TEST_F(LabelData, AnEmptyCohortSaysWhy) {
  write_file(folder_ / "task.yaml",
             std::string(kTask).replace(std::string(kTask).find("(1, None)"), 9, "(99999, None)"));
  const LabelReport report = make_labels(options("labels"));
  EXPECT_EQ(report.num_labels, 0);
  EXPECT_TRUE(report.emptied_by.starts_with("windows.next leaves none of 1200 trigger events"))
      << report.emptied_by;
  EXPECT_EQ(cohort("labels")["emptied_by"], report.emptied_by);
  EXPECT_EQ(read_labels(folder_ / "labels").size(), 0u);
}

TEST_F(LabelData, DescendantsComeFromTheDataSetsCodes) {
  write_parquet(folder_ / "meds/metadata/codes.parquet",
                {{"code", std::vector<std::string>{"Visit/IP", "Visit/OP", "Visit/any"}, {}},
                 {"parent_codes",
                  std::vector<std::vector<std::string>>{{"Visit/any"}, {"Visit/any"}, {}},
                  {}}});
  make_labels(options("direct"));
  write_file(folder_ / "task.yaml",
             std::string(kTask).replace(std::string(kTask).find("{any: [Visit/OP, Visit/IP]}"), 27,
                                        "{under: Visit/any}"));
  make_labels(options("under"));
  EXPECT_EQ(sorted_rows(folder_ / "under"), sorted_rows(folder_ / "direct"));
  fs::remove(folder_ / "meds/metadata/codes.parquet");
  try {
    make_labels(options("none"));
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("give --athena"), std::string::npos) << error.what();
  }
}

TEST_F(LabelData, SaysWhatTheTaskShouldBe) {
  LabelOptions wrong = options("labels");
  wrong.task = "readmision_30d";
  try {
    make_labels(wrong);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'readmission_30d'?"), std::string::npos);
  }
  EXPECT_NE(task_text("long_stay").find("label_as: absent"), std::string::npos);
}

TEST(LabelDatabase, GivesTheLabelsOfItsDataSet) {
  const TestFolder folder;
  write_file(folder / "task.yaml",
             "predicates: {a: {code: {regex: '^RxNorm/'}}, b: {code: {regex: '^ICD10CM/'}}}\n"
             "trigger: a\nwindows:\n"
             "  w: {start: trigger, end: start + 365 days, start_inclusive: false,\n"
             "      end_inclusive: true, label: b, index_timestamp: start}\n");
  make_labels({.meds = reference_path("motor/tutorial/meds"),
               .task = folder / "task.yaml",
               .out = folder / "parquet"});
  make_labels({.meds = reference_path("motor/tutorial/meds_reader"),
               .task = folder / "task.yaml",
               .out = folder / "database",
               .num_threads = 2});
  const auto rows = sorted_rows(folder / "parquet");
  EXPECT_GT(rows.size(), 100u);
  EXPECT_EQ(sorted_rows(folder / "database"), rows);
}

}  // namespace
}  // namespace sequela
