#include "sequela/batch/motor_targets.h"

#include "sequela/batch/femr_batch.h"

namespace sequela {
namespace {

class MotorTargetMaker : public TargetMaker {
 public:
  MotorTargetMaker(const TasksOfCodes& tasks, int32_t num_tasks)
      : tasks_(tasks), future_(tasks, num_tasks) {}

  void start(const Subject& subject, const Sequence& sequence) override {
    sequence_ = &sequence;
    last_task_time_us_ = last_task_time_us(subject, tasks_);
  }

  std::optional<Window> plan(int64_t subject, int32_t max_length,
                             double label_fraction) const override {
    return plan_window(subject, *sequence_, last_task_time_us_, max_length, label_fraction);
  }

  void select(const Window& window, uint64_t seed,
              std::vector<int32_t>& label_tokens) const override {
    select_labels(*sequence_, window, last_task_time_us_, seed, label_tokens);
  }

  int64_t note(int32_t token) const override { return sequence_->times_us[token]; }

  void append(const Subject& subject, std::span<const int64_t> notes, BatchForm form,
              BatchArrays& batch) override {
    if (form == BatchForm::femr) {
      future_.append_rows(subject, notes, batch.rows);
    } else {
      future_.append_changes(subject, notes, batch.changes);
    }
  }

 private:
  const TasksOfCodes& tasks_;
  FutureEvents future_;
  const Sequence* sequence_ = nullptr;
  int64_t last_task_time_us_ = 0;
};

}  // namespace

std::unique_ptr<TargetMaker> MotorTargetRule::make() const {
  return std::make_unique<MotorTargetMaker>(tasks_, num_tasks_);
}

std::vector<LeafField> MotorTargetRule::femr_fields() const {
  return motor_target_fields();
}

}  // namespace sequela
