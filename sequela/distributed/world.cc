#include "sequela/distributed/world.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>

#include "sequela/core/error.h"

namespace sequela {
namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Arrived : public World::Transfer {
 public:
  void wait() override {}
};

std::unique_ptr<World>& stored_world() {
  static auto* world = new std::unique_ptr<World>(std::make_unique<LoneWorld>());
  return *world;
}

at::Tensor to_bytes(const std::string& text, int64_t size) {
  at::Tensor bytes = at::zeros({size}, at::kByte);
  if (!text.empty()) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  return bytes;
}

}  // namespace

// A transfer whose wait the watch sees.
class World::Watched : public World::Transfer {
 public:
  Watched(World& world, std::unique_ptr<Transfer> transfer)
      : world_(world), transfer_(std::move(transfer)) {}
  void wait() override { world_.wait_for(*transfer_); }

 private:
  World& world_;
  std::unique_ptr<Transfer> transfer_;
};

void World::enter(const char* what, int64_t bytes) {
  const std::lock_guard lock(mutex_);
  traffic_.bytes_sent += bytes;
  ++stand_.num_calls;
  stand_.what = what;
  since_ = now_seconds();
}

void World::wait_for(Transfer& transfer) {
  const auto note = [this](bool is_waiting) {
    const std::lock_guard lock(mutex_);
    const double now = now_seconds();
    if (stand_.is_waiting) traffic_.seconds_waited += now - since_;
    stand_.is_waiting = is_waiting;
    since_ = now;
  };
  note(true);
  try {
    transfer.wait();
  } catch (...) {
    note(false);
    throw;
  }
  note(false);
}

World::Stand World::stand() const {
  const std::lock_guard lock(mutex_);
  Stand stand = stand_;
  stand.seconds = now_seconds() - since_;
  return stand;
}

World::Traffic World::traffic() const {
  const std::lock_guard lock(mutex_);
  return traffic_;
}

std::unique_ptr<World::Transfer> World::start(const char* what, const Exchange& exchange) {
  const int64_t rows = exchange.input.dim() == 0 ? 0 : exchange.input.size(0);
  const int64_t row_bytes = rows == 0 ? 0 : static_cast<int64_t>(exchange.input.nbytes()) / rows;
  int64_t sent = 0;
  for (int r = 0; r < size(); ++r) sent += r == rank() ? 0 : exchange.sends[r] * row_bytes;
  enter(what, sent);
  return std::make_unique<Watched>(*this, do_start(exchange));
}

at::Tensor World::gather(const char* what, const at::Tensor& own) {
  std::vector<int64_t> shape = own.sizes().vec();
  shape.insert(shape.begin(), size());
  at::Tensor all = at::empty(shape, own.options());
  enter(what, static_cast<int64_t>(own.nbytes()) * (size() - 1));
  const std::unique_ptr<Transfer> transfer = do_gather(own, all);
  wait_for(*transfer);
  return all;
}

std::unique_ptr<World::Transfer> LoneWorld::do_start(const Exchange& exchange) {
  at::Tensor output = exchange.output;
  output.copy_(exchange.input);
  return std::make_unique<Arrived>();
}

std::unique_ptr<World::Transfer> LoneWorld::do_gather(const at::Tensor& own,
                                                      const at::Tensor& all) {
  all.select(0, 0).copy_(own);
  return std::make_unique<Arrived>();
}

World& lone_world() {
  static LoneWorld world;
  return world;
}

World& process_world() {
  return *stored_world();
}

void set_process_world(std::unique_ptr<World> world) {
  stored_world() = std::move(world);
}

void meet(World& world, const char* what) {
  is_any(world, what, false);
}

bool is_any(World& world, const char* what, bool flag) {
  if (world.is_alone()) return flag;
  const at::Tensor own = at::full({1}, flag ? 1 : 0, at::kByte);
  return world.gather(what, own).max().item<uint8_t>() != 0;
}

std::vector<std::string> gather_texts(World& world, const char* what, const std::string& own) {
  if (world.is_alone()) return {own};
  const at::Tensor lengths_R =
      world.gather(what, at::full({1}, static_cast<int64_t>(own.size()), at::kLong)).view({-1});
  const int64_t longest = lengths_R.max().item<int64_t>();
  const at::Tensor all = world.gather(what, to_bytes(own, longest));
  std::vector<std::string> texts;
  for (int r = 0; r < world.size(); ++r) {
    const at::Tensor row = all.select(0, r);
    texts.emplace_back(static_cast<const char*>(row.const_data_ptr()),
                       static_cast<size_t>(lengths_R[r].item<int64_t>()));
  }
  return texts;
}

std::string text_of_first(World& world, const char* what, const std::string& own) {
  return gather_texts(world, what, world.is_first() ? own : "").front();
}

void succeed_together(World& world, const char* what, const std::function<void()>& work) {
  std::exception_ptr failure;
  std::string message;
  try {
    work();
  } catch (const std::exception& error) {
    failure = std::current_exception();
    message = error.what();
    if (message.empty()) message = "it failed";
  }
  if (world.is_alone()) {
    if (failure) std::rethrow_exception(failure);
    return;
  }
  const std::vector<std::string> messages = gather_texts(world, what, message);
  if (failure) std::rethrow_exception(failure);
  for (size_t r = 0; r < messages.size(); ++r) {
    if (!messages[r].empty()) throw ResourceError(str("rank ", r, " failed: ", messages[r]));
  }
}

Share share_of(int64_t num_items, int rank, int num_ranks) {
  return {num_items * rank / num_ranks, num_items * (rank + 1) / num_ranks};
}

}  // namespace sequela
