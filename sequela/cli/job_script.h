#pragma once

#include <string>
#include <vector>

namespace sequela {

// What Slurm is asked for.
struct JobOptions {
  int nodes = 1;
  int ranks_per_node = 1;
  int cpus_per_rank = 8;
  int gpus_per_rank = 0;
  std::string time = "24:00:00";
  std::string partition;  // empty: the site's own
  std::string account;
  int restarts = 3;  // after a rank was lost
  std::string program = "sequela";

  void validate() const;  // ConfigError
};

// A script for sbatch that runs a command of sequela on all ranks. Source of what it relies on:
// slurm.schedmd.com, sbatch, srun and scontrol.
std::string job_script(const JobOptions& options, const std::vector<std::string>& command);

// The text as one word of a POSIX shell.
std::string shell_word(const std::string& text);

}  // namespace sequela
