#include "sequela/features/cohort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "sequela/core/error.h"
#include "sequela/features/feature_file.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/postgres.h"
#include "tests/support/packed_files.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

class CohortFile : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
};

TEST_F(CohortFile, ReadsCsvWithQuotesAndCrLf) {
  const std::string path = write("cohort.csv",
                                 "subject_id,dataset_split,sepsis_label\r\n"
                                 "10,train,1\r\n20,validate,\"a, b\"\r\n-3,test,0\r\n");
  const Cohort cohort = read_cohort_file(path, "");
  ASSERT_EQ(cohort.order, (std::vector<int64_t>{10, 20, -3}));
  EXPECT_EQ(cohort.members.at(20).split, CohortSplit::valid);
  EXPECT_EQ(cohort.members.at(20).label, "a, b");
  EXPECT_EQ(cohort.members.at(-3).split, CohortSplit::test);
}

TEST_F(CohortFile, ReadsParquetAndPrintsLabelsAsPythonDoes) {
  const std::string path = testing::TempDir() + "/cohort.parquet";
  TableColumn ids{"subject_id", std::vector<int64_t>{1, 2}, {}};
  TableColumn splits{"dataset_split", std::vector<std::string>{"train", "test"}, {}};
  TableColumn labels{"label", std::vector<uint8_t>{1, 0}, {}};
  TableColumn scores{"score", std::vector<double>{0.25, 3.0}, {}};
  write_parquet(path, {ids, splits, labels, scores});
  EXPECT_EQ(read_cohort_file(path, "label").members.at(1).label, "True");
  EXPECT_EQ(read_cohort_file(path, "score").members.at(1).label, "0.25");
  EXPECT_EQ(read_cohort_file(path, "score").members.at(2).label, "3.0");
  EXPECT_THROW(read_cohort_file(path, ""), ConfigError);  // which one?
  EXPECT_THROW(read_cohort_file(path, "absent"), DataError);
}

TEST_F(CohortFile, RefusesLeaksAndNonsense) {
  const std::string header = "subject_id,dataset_split,label\n";
  EXPECT_THROW(read_cohort_file(write("a.csv", header + "1,train,0\n1,test,0\n"), ""), DataError);
  EXPECT_THROW(read_cohort_file(write("b.csv", header + "1,dev,0\n"), ""), DataError);
  EXPECT_THROW(read_cohort_file(write("c.csv", header + "x1,train,0\n"), ""), DataError);
  EXPECT_THROW(read_cohort_file(write("d.csv", header + "1,train\n"), ""), DataError);
  EXPECT_THROW(read_cohort_file(write("e.csv", header), ""), DataError);
  EXPECT_THROW(read_cohort_file(write("i.csv", header + "1,train,\n"), ""), DataError);
  EXPECT_THROW(read_cohort_file(write("f.csv", "id,dataset_split,label\n1,train,0\n"), ""),
               DataError);
  EXPECT_THROW(read_cohort_file(write("g.txt", header), ""), ConfigError);
  const std::string twice = write("h.csv", header + "1,train,0\n1,train,0\n");
  EXPECT_EQ(read_cohort_file(twice, "").order.size(), 1u);
}

TEST(CohortDatabase, NeverShowsThePassword) {
  for (const char* uri :
       {"postgresql://me:hunter2@127.0.0.1:1/db", "postgresql://me:hunter2@[bad/db"}) {
    try {
      read_cohort_database(uri, "SELECT 1", "");
      FAIL() << "connected to nothing";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
    }
  }
}

TEST_F(CohortFile, ReadsColumnNamesInAnyCaseAndTheHeadersSeparator) {
  const std::string rows = "1,train,0\n2,Validation,1\n3,TEST,0\n";
  std::string other = rows;
  std::ranges::replace(other, ',', ';');
  for (const std::string& path :
       {write("a.csv", "SUBJECT_ID,DATASET_SPLIT,SEPSIS_LABEL\n" + rows),
        write("b.csv", "subject_id;dataset_split;sepsis_label\n" + other),
        write("c.csv",
              "Subject_Id , Dataset_Split , label\n1 , train , 0\n2,validate,1\n3,test,0\n"),
        write("d.csv.gz",
              gzipped("subject_id,split,label\n1,train,0\n2,tuning,1\n3,held_out,0\n"))}) {
    const Cohort cohort = read_cohort_file(path, "");
    ASSERT_EQ(cohort.order, (std::vector<int64_t>{1, 2, 3})) << path;
    EXPECT_EQ(cohort.members.at(2).split, CohortSplit::valid);
    EXPECT_EQ(cohort.members.at(2).label, "1");
    EXPECT_EQ(cohort.members.at(3).split, CohortSplit::test);
  }
  EXPECT_EQ(read_cohort_file(write("e.csv", "subject_id,split,Sepsis\n1,train,yes\n"), "sepsis")
                .members.at(1)
                .label,
            "yes");
  for (const char* header : {"subject_id,subject_id,split", "Subject_Id,SUBJECT_ID,split"}) {
    EXPECT_THROW(read_cohort_file(write("f.csv", str(header, "\n1,1,train\n")), ""), DataError)
        << header;
  }
}

TEST_F(CohortFile, ReadsMedsOwnSplits) {
  const std::string path = testing::TempDir() + "/subject_splits.parquet";
  write_parquet(path, {{"subject_id", std::vector<int64_t>{1, 2, 3}, {}},
                       {"split", std::vector<std::string>{"train", "tuning", "held_out"}, {}}});
  const Cohort cohort = read_cohort_file(path, "");
  EXPECT_FALSE(cohort.has_labels);
  EXPECT_EQ(cohort.members.at(1).split, CohortSplit::train);
  EXPECT_EQ(cohort.members.at(2).split, CohortSplit::valid);
  EXPECT_EQ(cohort.members.at(3).split, CohortSplit::test);
}

TEST_F(CohortFile, RowsWithoutASplitAreSetAside) {
  const Cohort cohort = read_cohort_file(
      write("a.csv", "subject_id,dataset_split,label\n1,train,0\n7,,1\n8,  ,\n"), "");
  EXPECT_EQ(cohort.order, std::vector<int64_t>{1});
  EXPECT_EQ(cohort.without_split, (std::vector<int64_t>{7, 8}));
  const std::string path = testing::TempDir() + "/null_split.parquet";
  write_parquet(path, {{"subject_id", std::vector<int64_t>{1, 2}, {}},
                       {"split", std::vector<std::string>{"train", ""}, {1, 0}}});
  EXPECT_EQ(read_cohort_file(path, "").without_split, std::vector<int64_t>{2});
  EXPECT_THROW(read_cohort_file(write("b.csv", "subject_id,split\n1,\n"), ""), DataError);
}

TEST_F(CohortFile, SkippedRowsAreListedAndLabelsOfTheTableServe) {
  TestFolder folder;
  const std::vector<Label> labels = {{.subject_id = 1, .value = 1},
                                     {.subject_id = 2, .value = 0.5}};
  const std::vector<float> embeddings = {1, 2};
  const std::vector<int64_t> seconds = {0, 0};
  const std::vector<LabelState> states(2, LabelState::embedded);
  const Features features{labels, embeddings.data(), seconds.data(), states.data(), 1};
  Cohort cohort = read_cohort_file(write("a.csv", "subject_id,split\n1,train\n2,train\n9,\n"), "");
  const CohortReport report = write_cohort_files(folder.path(), features, cohort);
  EXPECT_EQ(report.without_split, std::vector<int64_t>{9});
  write_skipped(folder / "skipped.csv", features, report);
  EXPECT_EQ(read_file(folder / "skipped.csv"),
            "subject_id,prediction_time,reason\n9,,row of the cohort without a split\n");
  const std::string train = read_file(folder / "train_embeddings.pt");
  EXPECT_NE(train.find("0.5"), std::string::npos);
}

TEST(CohortDatabase, AMessageThatHoldsThePasswordEndsToo) {
  for (const char* text :
       {"host=* port=1 user=* password=*", "host=*** port=1 user=me password=**"}) {
    EXPECT_THROW(read_cohort_database(text, "SELECT 1", ""), FileError);
  }
}

TEST(CohortDatabase, SecretsAreTakenOutByTheDatabasesOwnParser) {
  const std::string secret = "hunter2";
  for (const char* text :
       {"postgresql://me:hunter2@host:5433/db", "postgresql://host/db?password=hunter2&user=me",
        "postgres://me@host/db?sslpassword=hunter2", "host=host user=me password=hunter2 dbname=db",
        "host=host user=me password = 'hunter2' dbname=db",
        "password='it\\'s hunter2' host=host user=me", "postgresql://me:%68unter2@host/db"}) {
    const std::string shown = without_secrets(text);
    EXPECT_EQ(shown.find(secret), std::string::npos) << shown;
    EXPECT_EQ(shown.find("%68"), std::string::npos) << shown;
    EXPECT_NE(shown.find("host='host'"), std::string::npos) << shown;
    EXPECT_NE(shown.find("me"), std::string::npos) << shown;
    EXPECT_EQ(without_secrets(shown), shown);  // libpq reads it again
  }
  EXPECT_EQ(without_secrets("postgresql://me@host/db"), "postgresql://me@host/db");
  EXPECT_EQ(without_secrets("postgresql://me:hunter2@[bad/db"), "***");
}

}  // namespace
}  // namespace sequela
