#include "sequela/synth/vocabulary.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "sequela/io/file.h"
#include "sequela/synth/athena_tables.h"

namespace sequela {
namespace {

// The rows of a tab-separated file, without its header.
std::vector<std::vector<std::string>> read_rows(const std::string& path) {
  std::istringstream text(read_file(path));
  std::vector<std::vector<std::string>> rows;
  std::string line, field;
  std::getline(text, line);
  while (std::getline(text, line)) {
    rows.emplace_back();
    std::istringstream fields(line);
    while (std::getline(fields, field, '\t')) rows.back().push_back(field);
  }
  return rows;
}

class AthenaTables : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / "synth_athena";
    write_athena_tables(build_vocabulary(), folder_);
  }
  std::string folder_;
};

TEST(SynthVocabulary, CodesAreDistinct) {
  const SynthVocabulary vocabulary = build_vocabulary();
  const std::set<std::string> distinct(vocabulary.codes.begin(), vocabulary.codes.end());
  EXPECT_EQ(distinct.size(), vocabulary.codes.size());
}

TEST(SynthVocabulary, MeasurementsHaveUnits) {
  const SynthVocabulary vocabulary = build_vocabulary();
  for (int lab = 0; lab < kNumLabs; ++lab) {
    EXPECT_FALSE(vocabulary.units[vocabulary.labs[lab]].empty());
    EXPECT_EQ(vocabulary.local_parents[vocabulary.local_labs[lab]], vocabulary.labs[lab]);
  }
}

TEST_F(AthenaTables, AncestorsAreTheTransitiveClosure) {
  std::map<std::pair<int64_t, int64_t>, int> levels;  // (ancestor, descendant)
  std::map<int64_t, std::vector<int64_t>> parents;
  for (const auto& row : read_rows(folder_ + "/CONCEPT_ANCESTOR.csv")) {
    const int64_t ancestor = std::stoll(row[0]), descendant = std::stoll(row[1]);
    EXPECT_TRUE(levels.emplace(std::pair(ancestor, descendant), std::stoi(row[2])).second);
    EXPECT_LE(std::stoi(row[2]), std::stoi(row[3]));
    if (row[2] == "1") parents[descendant].push_back(ancestor);
  }
  for (const auto& [pair, level] : levels) {
    EXPECT_EQ(level == 0, pair.first == pair.second);
    if (level == 0) continue;
    EXPECT_EQ(levels.count({pair.second, pair.first}), 0u) << "a cycle";
    int shortest = 1000;  // through one of the parents
    for (const int64_t parent : parents[pair.second]) {
      const auto above = levels.find({pair.first, parent});
      if (above != levels.end()) shortest = std::min(shortest, above->second + 1);
    }
    EXPECT_EQ(shortest, level);
  }
  for (const auto& [child, own_parents] : parents) {
    for (const int64_t parent : own_parents) {
      for (const int64_t grandparent : parents[parent]) {
        EXPECT_EQ(levels.count({grandparent, child}), 1u) << "not closed";
      }
    }
  }
}

TEST_F(AthenaTables, EventCodesHaveSeveralAncestors) {
  std::map<int64_t, int> num_ancestors;
  for (const auto& row : read_rows(folder_ + "/CONCEPT_ANCESTOR.csv")) {
    ++num_ancestors[std::stoll(row[1])];
  }
  std::map<std::string, std::pair<double, int>> sums;
  for (const auto& row : read_rows(folder_ + "/CONCEPT.csv")) {
    auto& [sum, count] = sums[row[3] + "/" + row[4]];
    sum += num_ancestors[std::stoll(row[0])];
    ++count;
  }
  const auto mean = [&](const char* kind) { return sums.at(kind).first / sums.at(kind).second; };
  EXPECT_GT(mean("SNOMED/Clinical Finding"), 6);
  EXPECT_GT(mean("RxNorm/Clinical Drug"), 8);
  EXPECT_GT(mean("CPT4/CPT4"), 4);
  EXPECT_EQ(mean("ICD10CM/4-char billing code"), 0);  // not standard: it has a mapping instead
}

TEST_F(AthenaTables, EveryCodeThatIsNotStandardMapsToOneThatIs) {
  std::map<std::string, std::string> standard;
  for (const auto& row : read_rows(folder_ + "/CONCEPT.csv")) standard[row[0]] = row[5];
  std::map<std::string, std::string> target;
  for (const auto& row : read_rows(folder_ + "/CONCEPT_RELATIONSHIP.csv")) {
    EXPECT_TRUE(standard.count(row[0]) && standard.count(row[1]));
    if (row[2] == "Maps to") target[row[0]] = row[1];
  }
  for (const auto& [concept_id, kind] : standard) {
    if (kind == "C") continue;  // a classification
    EXPECT_EQ(kind == "S", target.at(concept_id) == concept_id);
    EXPECT_EQ(standard.at(target.at(concept_id)), "S");
  }
}

}  // namespace
}  // namespace sequela
