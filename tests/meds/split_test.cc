#include "sequela/meds/split.h"

#include <sstream>

#include "sequela/core/error.h"
#include "tests/meds/support.h"
#include "tests/support/bad_inputs.h"
#include "tests/support/packed_files.h"

namespace sequela {
namespace {

class SplitOfFemr : public OnReference {};

TEST_P(SplitOfFemr, EqualsFemrForAllIds) {
  std::istringstream lines(read_file(reference_path("motor/split/split.csv")));
  std::string line;
  std::getline(lines, line);
  ASSERT_EQ(line.substr(0, 10), "subject_id");
  int64_t count = 0;
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string field;
    std::vector<int64_t> values;
    while (std::getline(fields, field, ',')) values.push_back(std::stoll(field));
    ASSERT_EQ(values.size(), 5u);
    EXPECT_EQ(is_validation_subject(values[0], 97, 0.1), values[1] == 1);
    EXPECT_EQ(is_validation_subject(values[0], 97, 0.15), values[2] == 1);
    EXPECT_EQ(is_validation_subject(values[0], 342, 0.1), values[3] == 1);
    EXPECT_EQ(is_validation_subject(values[0], 342, 0.15), values[4] == 1);
    ++count;
  }
  EXPECT_GE(count, 2000);
}

TEST_P(SplitOfFemr, WritesWhatFemrWrites) {
  TestFolder folder;
  ingest({.meds = reference_path("motor/g60/meds"), .folder = folder / "store"});
  const EventStore store = EventStore::open(folder / "store");
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < store.num_subjects(); ++i) ids.push_back(store.subject_id(i));
  Split::build(ids, 97, 0.1).write(folder / "split.csv");
  std::string expected = read_file(reference_path("motor/g60/split.csv"));
  std::erase(expected, '\r');
  EXPECT_EQ(read_file(folder / "split.csv"), expected);
  const auto sides = Split::read(folder / "split.csv").sides(store);
  for (int64_t i = 0; i < store.num_subjects(); ++i) {
    EXPECT_EQ(sides[i] == Side::validation, is_validation_subject(store.subject_id(i), 97, 0.1));
  }
}

TEST_P(SplitOfFemr, ReadsFemrsFileWithCarriageReturns) {
  const Split split = Split::read(tutorial_path("motor_model/main_split.csv"));
  EXPECT_EQ(split.num_train() + split.num_validation(), is_own_reference() ? 80 : 200);
  EXPECT_GT(split.num_train(), 3 * split.num_validation());
  EXPECT_EQ(split.side(0), Side::train);
  EXPECT_EQ(split.side(-5), Side::none);
}

TEST(Split, ReadsTablesInEveryForm) {
  TestFolder folder;
  for (const std::string& content :
       {std::string("SUBJECT_ID,SPLIT_NAME\n1,train\n2,test\n"),
        std::string("\xef\xbb\xbfsubject_id;split_name\r\n1;train\r\n\r\n2;test"),
        std::string("split_name,subject_id\ntest,2\ntrain, 1 \n"),
        std::string("\"subject_id\",\"split_name\"\n\"1\",\"train\"\n\"2\",\"test\"\n"),
        gzipped("subject_id,split_name\n1,train\n2,test\n")}) {
    write_file(folder / "split.csv", content);
    const Split split = Split::read(folder / "split.csv");
    EXPECT_EQ(split.side(1), Side::train) << content;
    EXPECT_EQ(split.side(2), Side::validation) << content;
    EXPECT_EQ(split.num_train() + split.num_validation(), 2) << content;
  }
}

TEST(Split, NamesTheRow) {
  TestFolder folder;
  write_file(folder / "split.csv", "subject_id,split_name\n1,train\n2,trian\n");
  try {
    Split::read(folder / "split.csv");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().row, 1);
    EXPECT_EQ(error.where().subject_id, 2);
  }
}

TEST(Split, RefusesASubjectOnBothSides) {
  BadInputs inputs;
  EXPECT_NO_THROW(Split::read(inputs.path("good_controls/split.csv")));
  try {
    Split::read(inputs.path("27_split_subject_twice") + "/split.csv");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().subject_id, 3);
    EXPECT_NE(std::string(error.what()).find("split.csv"), std::string::npos);
  }
}

TEST(Split, RefusesWhatIsNoSplit) {
  TestFolder folder;
  for (const char* content : {"", "id,split\n1,train\n", "subject_id,split_name\nx,train\n",
                              "subject_id,split_name\n1\n", "subject_id,split_name\n1,held_out\n",
                              "subject_id,split_name\n99999999999999999999,train\n"}) {
    write_file(folder / "split.csv", content);
    EXPECT_THROW(Split::read(folder / "split.csv"), DataError) << content;
  }
}

SEQUELA_ON_REFERENCES(SplitOfFemr);

}  // namespace
}  // namespace sequela
