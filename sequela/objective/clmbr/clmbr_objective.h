#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/objective/objective.h"

namespace sequela {

// CLMBR: the code of the next event (docs/design.md, sections 5.1, 7.4 and 8.1; Steinberg et al.,
// J. Biomed. Inform. 113, 2021; femr's CLMBRTask).
class ClmbrObjective : public Objective {
 public:
  const char* name() const override { return "clmbr"; }
  const char* about() const override { return "the next event's code"; }
  const char* task_file() const override { return "clmbr_task.json"; }
  std::vector<ObjectiveOption> options() const override;
  bool takes_flat_dictionary() const override { return true; }
  void fit(const ObjectiveRecords& records, const Json& values, int num_threads,
           const std::string& task_path) const override;
  Json describe(const std::string& task_path) const override;
  std::unique_ptr<TargetRule> targets(const ObjectiveRecords& records,
                                      const std::string& task_path) const override;
  void add_head(const std::string& task_path, ModelConfig& config) const override;
  std::unique_ptr<Trainable> training(const ObjectiveRun& run) const override;
};

}  // namespace sequela
