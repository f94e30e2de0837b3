#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sequela {

struct DemoOptions {
  std::string folder = "sequela_demo";  // everything goes here
  int64_t num_subjects = 16'000;
  uint64_t seed = 1;
  int64_t max_steps = 600;  // of pretraining
  int num_threads = 1;
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

// One step of the demo: what it worked through and how fast.
struct DemoStage {
  std::string name;
  double seconds = 0;
  double amount = 0;
  std::string unit;
};

struct DemoReport {
  std::vector<DemoStage> stages;
  // Lines of a table: per task AUROC with a 95 % interval of the embeddings, of age and sex, of
  // code counts, and of the probabilities that the generator itself gave.
  std::string results;
  std::string page;  // where the report lies: all of it, with a held-out patient's timeline
};

// The main job on made-up records: synth, prepare, pretrain a small model, evaluate it beside
// baselines on the three prediction tasks, fitted on 512 labels at the most (positives up to half
// of them) of the tuning subjects, tested on held-out ones; and the report. Pretraining sees
// neither. Finished steps of an earlier call are reused.
DemoReport demo(const DemoOptions& options);

}  // namespace sequela
