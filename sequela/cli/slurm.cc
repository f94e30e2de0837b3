#include <algorithm>
#include <iostream>
#include <memory>

#include "sequela/cli/command.h"
#include "sequela/cli/job_script.h"
#include "sequela/core/error.h"

namespace sequela {

Command make_slurm(CLI::App& app, const std::vector<Command>& others,
                   const std::vector<std::string>& job) {
  std::vector<std::string> names;
  for (const Command& command : others) {
    if (command.takes_ranks) names.push_back(command.app->get_name());
  }
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + name;

  auto options = std::make_shared<JobOptions>();
  CLI::App* command = app.add_subcommand("slurm",
                                         "Print a job script that runs a command on many "
                                         "ranks under Slurm");
  command->option_defaults()->always_capture_default();
  command->add_option("--nodes", options->nodes, "Machines");
  command->add_option("--ranks-per-node", options->ranks_per_node,
                      "Processes on each; with GPUs one for each GPU");
  command->add_option("--cpus-per-rank", options->cpus_per_rank, "Cores of each process");
  command->add_option("--gpus-per-rank", options->gpus_per_rank, "1 = a GPU for each process");
  command->add_option("--time", options->time, "Limit of one run; the job goes on after it");
  command->add_option("--partition", options->partition, "Queue");
  command->add_option("--account", options->account, "Who pays");
  command->add_option("--restarts", options->restarts, "New starts after a rank was lost");
  command->add_option("--program", options->program, "How the nodes start sequela");
  command->footer(
      "Example (these options before the command, its own after it):\n"
      "  sequela slurm --nodes 4 --ranks-per-node 8 --gpus-per-rank 1 \\\n"
      "      pretrain --data pretraining_files --model model --size base | sbatch\n"
      "Stopped, preempted or killed, the job goes on from its newest checkpoint.");
  return {command,
          [options, names, listed, job = &job] {
            if (job->empty() || std::ranges::find(names, job->front()) == names.end()) {
              throw ConfigError(str("`sequela slurm` needs a command that runs on ranks (", listed,
                                    ") with its options, after its own options."));
            }
            std::cout << job_script(*options, *job);
            return 0;
          },
          {}};
}

}  // namespace sequela
