#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sequela/io/lock_file.h"

namespace sequela {

// A lock file that at most one process holds, and that goes with the object.
class Claim {
 public:
  // None if another process holds it. FileError if the file cannot be made or locked.
  static std::optional<Claim> try_take(const std::string& path);
  Claim(Claim&&) noexcept = default;
  Claim& operator=(Claim&&) = delete;
  ~Claim();

 private:
  explicit Claim(LockFile file) : file_(std::move(file)) {}

  LockFile file_;
};

// Work in units that one process does, or several do together: at the same time, or one after
// another. Each takes what no other one has, beginning at its own share; what a process that ended
// left undone, another one takes over. Only a folder that all see joins them.
class SharedWork {
 public:
  // Alone: nothing is claimed.
  SharedWork() = default;
  // `folder` is for claims; it is made.
  SharedWork(std::string folder, int rank, int num_ranks);

  bool is_alone() const { return num_ranks_ == 1; }

  // Calls make(unit, thread) for each unit that is not done, on some threads, and returns when all
  // are done, by whomever. is_done(unit) sees on the disk what any process has finished; a unit is
  // made by one at a time. sizes: of the units, to share them out. Rethrows what make() threw;
  // Interrupted.
  void run(const std::string& name, const std::vector<int64_t>& sizes, int num_threads,
           const std::function<bool(int64_t unit)>& is_done,
           const std::function<void(int64_t unit, int thread)>& make) const;

 private:
  std::string folder_;
  int rank_ = 0;
  int num_ranks_ = 1;
};

}  // namespace sequela
