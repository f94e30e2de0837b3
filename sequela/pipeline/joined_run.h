#pragma once

#include <functional>
#include <optional>
#include <string>

#include "sequela/io/shared_work.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/recipe.h"

namespace sequela {

// A run that one process does, or one of several that make a folder together (io/shared_work.h).
// What they tell each other lies in <folder>/.ranks while one of them lives. Throws ConfigError if
// another run is at work in the folder, or if the others there have other options or data, naming
// the difference.
class JoinedRun {
 public:
  JoinedRun(const std::string& folder, const RunRecipe& recipe, int rank, int num_ranks);
  ~JoinedRun();
  JoinedRun(const JoinedRun&) = delete;
  JoinedRun& operator=(const JoinedRun&) = delete;

  const SharedWork& work() const { return work_; }
  // Runs `last` if no other process is left, alone in the folder; then the run is over.
  void leave(const std::function<void()>& last);

 private:
  void join(const RunRecipe& recipe, int rank);
  Claim enter() const;

  const std::string ranks_folder_;
  FolderLock lock_;
  SharedWork work_;
  std::optional<FolderLock> membership_;
};

}  // namespace sequela
