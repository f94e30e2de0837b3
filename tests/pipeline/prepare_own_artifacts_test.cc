// Artifacts of the user's own in place of those that prepare makes.
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/task/motor_task.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

class PrepareOwnArtifacts : public testing::Test {
 protected:
  static PrepareOptions of_records(const std::string& out) {
    PrepareOptions options = small_prepare(out);
    options.num_tasks = 128;
    options.num_threads = 2;
    return options;
  }
  TestFolder folder_;
};

TEST_F(PrepareOwnArtifacts, UsesTheUsersArtifacts) {
  PrepareOptions options = of_records(folder_ / "own");
  options.split = reference_path("motor/tutorial/split.csv");
  EXPECT_THROW(prepare(options), DataError);  // of other subjects

  options.split = reference_path("motor/g60/split.csv");
  options.dictionary = reference_path("motor/g60/tokenizer/dictionary.msgpack");
  prepare(options);
  EXPECT_EQ(read_file(options.out + "/tokenizer/dictionary.msgpack"),
            read_file(options.dictionary));
  const std::string task = reference_path("motor/g60/motor_task.json");
  EXPECT_EQ(MotorTask::read(options.out + "/motor_task.json").tasks.size(),
            parse_json(read_file(task), task).at("pretraining_task_info").size());

  options.dictionary = tutorial_path("clmbr_model/dictionary.msgpack");
  EXPECT_THROW(prepare(options), ConfigError);  // flat
}

TEST_F(PrepareOwnArtifacts, TakesTheTasksOfAnotherFolder) {
  PrepareOptions options = of_records(folder_ / "all_tasks");
  prepare(options);
  MotorTask task = MotorTask::read(options.out + "/motor_task.json");
  ASSERT_GT(task.tasks.size(), 2U);
  task.tasks.resize(2);
  PrepareOptions few = of_records(folder_ / "two_tasks");
  few.task_file = folder_ / "two_tasks.json";
  task.write(few.task_file);
  prepare(few);
  EXPECT_EQ(read_file(few.out + "/motor_task.json"), read_file(few.task_file));
  EXPECT_TRUE(prepare(few).is_up_to_date);

  task.tasks.resize(1);  // another content calls for another folder
  task.write(few.task_file);
  EXPECT_FALSE(prepare(few).is_up_to_date);
  EXPECT_EQ(MotorTask::read(few.out + "/motor_task.json").tasks.size(), 1U);
}

TEST_F(PrepareOwnArtifacts, RefusesATaskFileOfAnotherKindOrOfOtherCodes) {
  PrepareOptions options = of_records(folder_ / "task_of_clmbr");
  options.objective = "clmbr";
  prepare(options);
  PrepareOptions wrong = of_records(folder_ / "wrong_task");
  wrong.task_file = options.out + "/clmbr_task.json";
  EXPECT_THROW(prepare(wrong), Error);

  MotorTask nothing;
  nothing.time_bins = {0, 1e6, std::numeric_limits<double>::infinity()};
  nothing.tasks.resize(1);
  nothing.tasks[0].code = "NO/such";
  nothing.tasks[0].rate = 1e-8;
  nothing.tasks[0].mean_time = 1e6;
  wrong.task_file = folder_ / "wrong_task.json";
  nothing.write(wrong.task_file);
  EXPECT_THROW(prepare(wrong), DataError);
}

}  // namespace
}  // namespace sequela
