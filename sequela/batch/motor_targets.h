#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sequela/batch/target_rule.h"
#include "sequela/task/future_events.h"

namespace sequela {

// MOTOR's targets: the tasks ahead of a label with the seconds to them (docs/design.md, sections 5
// and 6; compact_batch.h packs them as changes).
class MotorTargetRule : public TargetRule {
 public:
  MotorTargetRule(TasksOfCodes tasks, int32_t num_tasks)
      : tasks_(std::move(tasks)), num_tasks_(num_tasks) {}

  std::unique_ptr<TargetMaker> make() const override;
  std::vector<LeafField> femr_fields() const override;
  int32_t num_tasks() const override { return num_tasks_; }

 private:
  const TasksOfCodes tasks_;
  const int32_t num_tasks_;
};

}  // namespace sequela
