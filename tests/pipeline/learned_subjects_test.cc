// What a model's folder tells of the subjects that it has learned from.
#include "sequela/pipeline/learned_subjects.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/io/file.h"
#include "sequela/meds/split.h"
#include "tests/pipeline/finetune_run.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

const SubjectFilter& set_of(const SubjectSets& sets, const std::string& name) {
  for (const SubjectSets::Named& named : sets.sets()) {
    if (named.name == name) return named.filter;
  }
  throw std::out_of_range(name);
}

class LearnedSubjects : public FinetuneTest {};

TEST_F(LearnedSubjects, ABundleKnowsItsSplit) {
  const Split split = Split::read(*files_ / "prepared/split.csv");
  const SubjectSets sets = *read_learned_subjects(*files_ / "pretrained");
  EXPECT_EQ(sets.rule(), hash_split_rule(97, 0.1));
  EXPECT_EQ(set_of(sets, kPretrainTrain).num_subjects(), split.num_train());
  for (int64_t subject = 1; subject <= 80; ++subject) {
    EXPECT_EQ(set_of(sets, kPretrainTrain).may_hold(subject), split.side(subject) == Side::train);
    EXPECT_EQ(set_of(sets, kPretrainValidation).may_hold(subject),
              split.side(subject) == Side::validation);
  }
}

TEST_F(LearnedSubjects, ATunedBundleKnowsItsLabelsToo) {
  FinetuneOptions options = small_run("tuned");
  finetune(options);
  const SubjectSets sets = *read_learned_subjects(options.out);
  ASSERT_EQ(sets.sets().size(), 4u);
  int64_t num_learned = 0;
  for (int64_t subject = 1; subject <= 80; ++subject) {
    const bool trains = set_of(sets, kFinetuneTrain).may_hold(subject);
    const bool validates = set_of(sets, kFinetuneValidation).may_hold(subject);
    EXPECT_FALSE(trains && validates);
    num_learned += trains || validates;
  }
  EXPECT_EQ(num_learned, 50);  // labels of subjects 1 to 50
}

TEST_F(LearnedSubjects, OfFemrsBundleByItsSplit) {
  const SubjectSets sets = *read_learned_subjects(tutorial_path("motor_model"));
  const Split split = Split::read(tutorial_path("motor_model/main_split.csv"));
  EXPECT_EQ(set_of(sets, kPretrainTrain).num_subjects(), split.num_train());
  EXPECT_FALSE(read_learned_subjects(folder_ / "none").has_value());
}

TEST_F(LearnedSubjects, DataWithoutASplitGiveNone) {
  EXPECT_FALSE(write_prepared_subjects(folder_ / "", folder_ / ""));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "subjects.filter"));
  // A split without prepare's manifest was given by someone.
  write_file(folder_ / "split.csv", "subject_id,split_name\n1,train\n2,test\n");
  EXPECT_TRUE(write_prepared_subjects(folder_ / "", folder_ / ""));
  EXPECT_EQ(read_learned_subjects(folder_ / "")->rule(), "{\"rule\":\"file\"}");
}

}  // namespace
}  // namespace sequela
