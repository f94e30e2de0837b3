#include "sequela/features/cohort.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"

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

}  // namespace
}  // namespace sequela
