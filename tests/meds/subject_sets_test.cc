#include "sequela/meds/subject_sets.h"

#include <gtest/gtest.h>

#include <numeric>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

std::vector<int64_t> ids_from(int64_t first, int64_t count) {
  std::vector<int64_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

TEST(SubjectFilter, HoldsItsSubjectsAndHardlyAnyOther) {
  const SubjectFilter filter(ids_from(-500, 20'000));
  EXPECT_EQ(filter.num_subjects(), 20'000);
  for (const int64_t id : ids_from(-500, 20'000)) ASSERT_TRUE(filter.may_hold(id));
  // One in a million is expected of two million: more than twelve would be a fault.
  int64_t wrong = 0;
  for (const int64_t id : ids_from(19'500, 2'000'000)) wrong += filter.may_hold(id);
  EXPECT_LE(wrong, 12);
  EXPECT_FALSE(SubjectFilter().may_hold(0));
}

TEST(SubjectFilter, OneSubject) {
  const std::vector<int64_t> one = {42};
  const SubjectFilter filter(one);
  EXPECT_TRUE(filter.may_hold(42));
  int64_t wrong = 0;
  for (const int64_t id : ids_from(43, 100'000)) wrong += filter.may_hold(id);
  EXPECT_LE(wrong, 5);
}

TEST(SubjectSets, ComeBackFromTheirFile) {
  const TestFolder folder;
  SubjectSets sets("{\"rule\":\"file\"}");
  sets.set("train", ids_from(0, 10));
  sets.set("validation", {});
  sets.set("train", ids_from(100, 10));
  sets.write(folder / "subjects.filter");
  const SubjectSets read = SubjectSets::read(folder / "subjects.filter");
  EXPECT_EQ(read.rule(), sets.rule());
  ASSERT_EQ(read.sets().size(), 2u);
  for (const auto& named : read.sets()) {
    EXPECT_EQ(named.filter.may_hold(105), named.name == "train");
    EXPECT_EQ(named.filter.num_subjects(), named.name == "train" ? 10 : 0);
    EXPECT_FALSE(named.filter.may_hold(5));
  }
}

TEST(SubjectSets, ADamagedFileIsRefused) {
  const TestFolder folder;
  const std::string path = folder / "subjects.filter";
  SubjectSets sets("rule");
  sets.set("train", ids_from(0, 50));
  sets.write(path);
  const std::string whole = read_file(path);
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file(path, whole.substr(0, size));
    EXPECT_THROW(SubjectSets::read(path), FileError) << size;
  }
  write_file(path, whole + "x");
  EXPECT_THROW(SubjectSets::read(path), FileError);
  std::string other = whole;
  other[0] = 'X';
  write_file(path, other);
  EXPECT_THROW(SubjectSets::read(path), FileError);
  // A length that no file has.
  std::string huge = whole;
  for (size_t i = 8; i < 12; ++i) huge[i] = static_cast<char>(0xFF);
  write_file(path, huge);
  EXPECT_THROW(SubjectSets::read(path), FileError);
}

}  // namespace
}  // namespace sequela
