#include "sequela/meds/check_dataset.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/json.h"
#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "tests/support/shared.h"
#include "tests/support/test_folder.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

std::map<std::string, int64_t> counts(const MedsCheck& check) {
  std::map<std::string, int64_t> found;
  for (const MedsFinding& finding : check.findings) found[finding.what] = finding.count;
  return found;
}

// A shard of these rows; time 0 = static.
void write_shard(const std::string& path, const std::vector<int64_t>& subjects,
                 const std::vector<int64_t>& times, const std::vector<std::string>& codes) {
  std::vector<uint8_t> valid;
  for (const int64_t time : times) valid.push_back(time != 0);
  write_parquet(path, {{.name = "subject_id", .values = subjects},
                       {.name = "time", .values = times, .valid = valid, .is_timestamp = true},
                       {.name = "code", .values = codes}});
}

class CheckMeds : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_ / "data"); }
  TestFolder folder_;
};

TEST_F(CheckMeds, FindsWhatIsOutOfOrder) {
  write_shard(folder_ / "data/0.parquet", {1, 1, 1, 2, 1}, {5, 3, 0, 4, 9},
              {"MEDS_BIRTH", "A", "B", "A", "A"});
  write_shard(folder_ / "data/1.parquet", {2}, {7}, {"A"});
  const MedsCheck check = check_meds(folder_.path(), 2);
  EXPECT_EQ(check.num_subjects, 2);
  const auto found = counts(check);
  EXPECT_EQ(found.at("times that go backwards"), 1);
  EXPECT_EQ(found.at("a static event behind one with a time"), 1);
  EXPECT_EQ(found.at("a subject in several runs of a shard"), 1);
  EXPECT_EQ(found.at("a subject in two shards"), 1);
  EXPECT_EQ(found.at("events before birth"), 1);
  EXPECT_EQ(found.at("no metadata/codes.parquet"), 1);
}

TEST_F(CheckMeds, AnImpossibleTimePutsNoOtherOutOfOrder) {
  const int64_t in_year_9999 = int64_t{8000} * 365 * kMicrosPerDay;
  write_shard(folder_ / "data/0.parquet", {1, 1, 1}, {1, in_year_9999, 5},
              {"MEDS_BIRTH", "A", "B"});
  const auto found = counts(check_meds(folder_.path(), 1));
  EXPECT_EQ(found.at("events after 2299"), 1);
  EXPECT_FALSE(found.contains("times that go backwards"));
}

TEST_F(CheckMeds, OurOwnRecordsAreSound) {
  write_visit_records(folder_ / "meds", {.num_subjects = 30, .num_shards = 3});
  const MedsCheck check = check_meds(folder_ / "meds", 2);
  EXPECT_TRUE(check.is_sound());
  EXPECT_EQ(check.num_subjects, 30);
}

// The broken inputs: those that a program is to reject have a fault, those that it may accept have
// none.
TEST(CheckMedsShared, TellsTheBrokenInputs) {
  SEQUELA_NEED_SHARED();
  const std::string root = shared_path("data/bad/");
  const Json manifest = parse_json(read_file(root + "manifest.json"), "manifest");
  EXPECT_TRUE(check_meds(root + "good_controls/meds", 1).is_sound());
  int num_checked = 0;
  for (const Json& entry : manifest.at("entries")) {
    if (entry.at("kind") != "meds") continue;
    ++num_checked;
    const std::string name = entry.at("name"), expect = entry.at("expect");
    const MedsCheck check = check_meds(root + name, 1);
    if (expect.starts_with("reject")) {
      EXPECT_FALSE(check.is_sound()) << name;
    }
    if (expect == "accept" || expect == "accept_with_warning") {
      EXPECT_TRUE(check.is_sound()) << name;
    }
    if (expect == "accept_with_warning") {
      EXPECT_FALSE(check.findings.empty()) << name;
    }
  }
  EXPECT_EQ(num_checked, 15);
}

}  // namespace
}  // namespace sequela
