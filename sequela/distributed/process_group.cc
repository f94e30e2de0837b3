#include "sequela/distributed/process_group.h"

#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>

#include <exception>

#include "sequela/core/error.h"

namespace sequela {
namespace {

// "Connection closed by peer [10.0.0.2]:4711" of gloo's "[file:line] Connection closed by peer
// [10.0.0.2]:4711. This is typically ...".
std::string cause_of(std::string message) {
  message = message.substr(0, message.find('\n'));
  if (message.starts_with('[')) message.erase(0, message.find(']') + 1);
  message.erase(0, message.find_first_not_of(' '));
  return message.substr(0, message.find(". "));
}

// Runs `call` of the process group; its failures are those of other ranks or of the network.
template <class Call>
auto with_ranks_lost(Call call) {
  try {
    return call();
  } catch (const std::exception& error) {
    throw ResourceError(str("lost touch with the other ranks (", cause_of(error.what()),
                            "). Fix: look for the first error of any rank; the same command goes "
                            "on from the last checkpoint."));
  }
}

class GroupTransfer : public World::Transfer {
 public:
  explicit GroupTransfer(c10::intrusive_ptr<c10d::Work> work) : work_(std::move(work)) {}
  void wait() override {
    with_ranks_lost([this] { return work_->wait(); });
  }

 private:
  const c10::intrusive_ptr<c10d::Work> work_;
};

class GroupWorld : public World {
 public:
  GroupWorld(c10::intrusive_ptr<c10d::ProcessGroup> group, int num_local)
      : group_(std::move(group)), num_local_(num_local) {}

  int rank() const override { return group_->getRank(); }
  int size() const override { return group_->getSize(); }
  int num_local() const override { return num_local_; }

 private:
  std::unique_ptr<Transfer> do_start(const Exchange& exchange) override {
    return with_ranks_lost([&] {
      at::Tensor input = exchange.input, output = exchange.output;
      std::vector<int64_t> sends = exchange.sends, receives = exchange.receives;
      c10d::AllToAllOptions options;
      options.asyncOp = true;
      return std::make_unique<GroupTransfer>(
          group_->all_to_all_single(output, input, receives, sends, options));
    });
  }

  std::unique_ptr<Transfer> do_gather(const at::Tensor& own, const at::Tensor& all) override {
    return with_ranks_lost([&] {
      at::Tensor input = own.view({-1}), output = all.view({-1});  // gloo wants one dimension
      c10d::AllgatherOptions options;
      return std::make_unique<GroupTransfer>(group_->all_gather_single(output, input, options));
    });
  }

  const c10::intrusive_ptr<c10d::ProcessGroup> group_;
  const int num_local_;
};

}  // namespace

std::unique_ptr<World> world_of_group(const std::string& group_name, int num_local) {
  return std::make_unique<GroupWorld>(c10d::resolve_process_group(group_name), num_local);
}

}  // namespace sequela
