#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sequela {

// The ranks of a run: processes that do the same job on shares of its work. All of them make the
// same calls in the same order. A rank that was lost, or did not answer in time, ends a call with
// ResourceError. Tensors are contiguous. `what` names the call for messages and for the watch over
// ranks that hang: "the sum of gradients".
class World {
 public:
  virtual ~World() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int num_local() const { return 1; }  // ranks on this machine, which share it
  bool is_first() const { return rank() == 0; }
  bool is_alone() const { return size() == 1; }

  // Something sent that need not have arrived. wait() once, before the output is read.
  class Transfer {
   public:
    virtual ~Transfer() = default;
    virtual void wait() = 0;
  };

  // Sends rank r the next sends[r] rows of `input`, and puts what rank r sends into the next
  // receives[r] rows of `output`. Both must live until the end of wait().
  struct Exchange {
    at::Tensor input;
    std::vector<int64_t> sends;  // rows by rank
    at::Tensor output;
    std::vector<int64_t> receives;
  };
  std::unique_ptr<Transfer> start(const char* what, const Exchange& exchange);

  // The tensors of all ranks, of one shape, stacked: [size, ...].
  at::Tensor gather(const char* what, const at::Tensor& own);

  // Where this rank stands, for a watch over it from another thread.
  struct Stand {
    int64_t num_calls = 0;
    std::string what;         // of the last call
    bool is_waiting = false;  // in that call, for the others
    double seconds = 0;       // since it began or ended
  };
  Stand stand() const;
  // To other ranks, by start() and gather(); and how long this rank waited for them.
  struct Traffic {
    int64_t bytes_sent = 0;
    double seconds_waited = 0;
  };
  Traffic traffic() const;

 private:
  class Watched;
  virtual std::unique_ptr<Transfer> do_start(const Exchange& exchange) = 0;
  virtual std::unique_ptr<Transfer> do_gather(const at::Tensor& own, const at::Tensor& all) = 0;
  void enter(const char* what, int64_t bytes);
  void wait_for(Transfer& transfer);

  mutable std::mutex mutex_;
  Stand stand_;
  double since_ = 0;
  Traffic traffic_;
};

// A world of one rank: nothing is sent.
class LoneWorld : public World {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }

 private:
  std::unique_ptr<Transfer> do_start(const Exchange& exchange) override;
  std::unique_ptr<Transfer> do_gather(const at::Tensor& own, const at::Tensor& all) override;
};

World& lone_world();

// The ranks of this process's run: a LoneWorld until set. Set it before a job starts.
World& process_world();
void set_process_world(std::unique_ptr<World> world);

// Returns when all ranks have come here.
void meet(World& world, const char* what);
// Whether `flag` is set on any rank.
bool is_any(World& world, const char* what, bool flag);
// The texts of all ranks, by rank.
std::vector<std::string> gather_texts(World& world, const char* what, const std::string& own);
// The first rank's text.
std::string text_of_first(World& world, const char* what, const std::string& own);

// Runs `work` on every rank that calls; if it throws on one of them, all throw: those whose work
// was done a ResourceError with the first failed rank's message.
void succeed_together(World& world, const char* what, const std::function<void()>& work);

// The indices below `num_items` that are a rank's: `first` to before `end`, in shares that differ
// by one at most.
struct Share {
  int64_t first = 0;
  int64_t end = 0;
};
Share share_of(int64_t num_items, int rank, int num_ranks);

}  // namespace sequela
