#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/objective/objective.h"

namespace sequela {

// MOTOR: the time to each of some thousand codes (docs/design.md, sections 5, 7.4 and 8;
// arXiv:2301.03150). Its task is task/motor_task.h, its head model/motor_head.h, its training
// train/motor_training.h, its report the yardsticks beside this file.
class MotorObjective : public Objective {
 public:
  const char* name() const override { return "motor"; }
  const char* about() const override { return "the time to each code's next event"; }
  const char* task_file() const override { return "motor_task.json"; }
  bool keeps_share_of_labels() const override { return true; }
  bool has_use_for_truth() const override { return true; }
  bool has_parts() const override { return true; }
  // Values: those of MotorTaskOptions, by their options' names.
  void fit(const ObjectiveRecords& records, const Json& values, int num_threads,
           const std::string& task_path) const override;
  Json describe(const std::string& task_path) const override;
  std::unique_ptr<TargetRule> targets(const ObjectiveRecords& records,
                                      const std::string& task_path) const override;
  void add_head(const std::string& task_path, ModelConfig& config) const override;
  std::unique_ptr<Trainable> training(const ObjectiveRun& run) const override;
  std::vector<std::string> notes() const override;
};

}  // namespace sequela
