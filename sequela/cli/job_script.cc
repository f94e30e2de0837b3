#include "sequela/cli/job_script.h"

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr const char* kPlain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+";

constexpr const char* kHead =
    "#SBATCH --requeue\n"
    "#SBATCH --open-mode=append\n"
    "#SBATCH --signal=B:USR1@120\n"
    "#SBATCH --output=%x-%j.log\n"
    "\n"
    "# A job that is preempted, or whose time is nearly up, stops with a checkpoint, waits in the\n"
    "# queue again, and goes on from there. So does one that has lost a rank, at once.\n";

// Exit codes 2 to 4 are faults of options, data and files, which a new start does not mend.
constexpr const char* kBody =
    "stopped=\n"
    "trap 'stopped=1; kill -TERM $step 2> /dev/null' USR1 TERM\n"
    "for attempt in $(seq 0 \"$restarts\"); do\n"
    "  srun --kill-on-bad-exit=1 \"${command[@]}\" &\n"
    "  step=$!\n"
    "  wait $step; code=$?\n"
    "  while kill -0 $step 2> /dev/null; do wait $step; code=$?; done  # a signal ends a wait\n"
    "  if [ -n \"$stopped\" ] || [ $code = 0 ] || { [ $code -ge 2 ] && [ $code -le 4 ]; }; then "
    "break; fi\n"
    "  echo \"sequela: attempt $attempt ended with $code\" >&2\n"
    "done\n"
    "if [ -n \"$stopped\" ]; then scontrol requeue \"$SLURM_JOB_ID\"; fi\n"
    "exit $code\n";

void require_range(const char* key, int value, int least, int most) {
  if (value >= least && value <= most) return;
  throw ConfigError(key, str(value), str(least, " to ", most));
}

void require_word(const char* key, const std::string& text) {
  if (text.find_first_not_of(kPlain) == std::string::npos) return;
  throw ConfigError(key, text, "letters, digits and -_.,:=/@%+");
}

}  // namespace

void JobOptions::validate() const {
  require_range("nodes", nodes, 1, 100'000);
  require_range("ranks-per-node", ranks_per_node, 1, 1'024);
  require_range("cpus-per-rank", cpus_per_rank, 1, 4'096);
  require_range("gpus-per-rank", gpus_per_rank, 0, 1);
  require_range("restarts", restarts, 0, 1'000);
  if (time.empty()) throw ConfigError("time", time, "Slurm's, such as 24:00:00 or 2-12");
  require_word("time", time);
  require_word("partition", partition);
  require_word("account", account);
}

std::string shell_word(const std::string& text) {
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string job_script(const JobOptions& options, const std::vector<std::string>& command) {
  options.validate();
  std::string script = "#!/bin/bash\n";
  const auto ask = [&](const char* option, const auto& value) {
    script += str("#SBATCH --", option, "=", value, "\n");
  };
  ask("job-name", "sequela-" + command.front());
  ask("nodes", options.nodes);
  ask("ntasks-per-node", options.ranks_per_node);
  ask("cpus-per-task", options.cpus_per_rank);
  if (options.gpus_per_rank > 0) ask("gpus-per-task", options.gpus_per_rank);
  ask("time", options.time);
  if (!options.partition.empty()) ask("partition", options.partition);
  if (!options.account.empty()) ask("account", options.account);
  script += str(kHead, "restarts=", options.restarts, "\ncommand=(", shell_word(options.program));
  for (const std::string& argument : command) script += " " + shell_word(argument);
  return script + ")\n\n" + kBody;
}

}  // namespace sequela
